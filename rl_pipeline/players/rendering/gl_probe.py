"""Program that draws a small frame with the GL backend of its argument and prints the name of the GL renderer.

The exit code is 0 if the frame is not blank.
"""

from __future__ import annotations

import importlib
import sys

import mujoco

from rl_pipeline.players.rendering.gl_renderer import GLRenderer
from rl_pipeline.players.rendering.picture import Camera, Picture

_SCENE = """
<mujoco><worldbody>
  <light pos="0 0 3"/> <geom type="plane" size="2 2 1"/> <geom type="sphere" size="0.3" rgba="1 0 0 1"/>
</worldbody></mujoco>
"""


def main(backend: str) -> int:
    """Render with a backend; return 0 if the frame has more than one colour, else 1."""
    # A red ball on a floor.
    model = mujoco.MjModel.from_xml_string(_SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    renderer = GLRenderer(model, Camera((0.0, 0.0, 0.0), 3.0, 0.0, -45.0, 45.0), backend, width=64, height=48)
    # Only now: PyOpenGL chooses its platform when it is first imported.
    gl = importlib.import_module("OpenGL.GL")
    name = gl.glGetString(gl.GL_RENDERER)
    sys.stdout.write(name.decode() if isinstance(name, bytes) else "")
    # A driver may run and draw nothing.
    colours = renderer.draw(data, Picture()).getcolors(maxcolors=64 * 48)
    renderer.close()
    return 0 if colours is not None and len(colours) > 1 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
