"""MuJoCo without a display: a GL that works is found, or frames are left out with one warning."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rl_pipeline.envs.gymnasium_envs import mujoco_rendering
from rl_pipeline.envs.gymnasium_envs.mujoco_rendering import working_render_mode

IMPORT = """
import logging, os
logging.basicConfig(format="%(levelname)s %(message)s")
from rl_pipeline.players.rendering.gl_backend import import_mujoco
for _ in range(2):
    import_mujoco()
import mujoco
mujoco.MjModel.from_xml_string("<mujoco/>")
print(os.environ["MUJOCO_GL"])
"""


@pytest.fixture(autouse=True)
def _headless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mujoco_rendering, "is_headless", lambda: True)
    monkeypatch.setenv("MUJOCO_GL", "")  # so that it is as it was after the test


def test_the_offscreen_backend_that_works_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mujoco_rendering, "offscreen_backend", lambda: "egl")
    assert working_render_mode("Hopper-v5", "rgb_array") == "rgb_array"
    assert os.environ["MUJOCO_GL"] == "egl"


def test_without_a_backend_frames_are_left_out_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mujoco_rendering, "library_loads", lambda name: False)
    assert working_render_mode("Hopper-v5", "rgb_array") is None
    (warning,) = caplog.messages
    assert warning.startswith("no videos: Hopper-v5 draws by OpenGL, and there is neither a display nor a working EGL")
    assert not os.environ["MUJOCO_GL"]


def test_gl_that_is_switched_off_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    assert working_render_mode("Hopper-v5", "rgb_array") is None
    assert caplog.messages == ["no videos: Hopper-v5 draws by OpenGL, and MUJOCO_GL=disabled"]


@pytest.mark.parametrize(("env_id", "mode"), [("CartPole-v1", "rgb_array"), ("Hopper-v5", None)])
def test_no_gl_is_looked_for_where_none_is_needed(
    monkeypatch: pytest.MonkeyPatch, env_id: str, mode: str | None
) -> None:
    monkeypatch.setattr(mujoco_rendering, "offscreen_backend", lambda: pytest.fail("it looked for GL"))
    assert working_render_mode(env_id, mode) == mode


def test_mujoco_is_imported_without_gl_where_the_one_asked_for_does_not_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], env={**os.environ, "MUJOCO_GL": "glide"},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "disabled\n"
    assert done.stderr.count("MUJOCO_GL=glide does not work here (RuntimeError: ") == 1
