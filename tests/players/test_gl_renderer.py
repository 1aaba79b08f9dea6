import numpy as np
import pytest

from rl_pipeline.players.navigation.scene import NavigationScene
from rl_pipeline.players.rendering import gl_backend
from rl_pipeline.players.rendering.gl_renderer import GLRenderer
from rl_pipeline.players.rendering.painter import Painter


@pytest.fixture
def scene() -> NavigationScene:
    return NavigationScene(seed=2)


@pytest.mark.skipif(not gl_backend.library_loads("egl"), reason="this machine has no libEGL")
def test_gl_shows_the_same_arena_as_the_painter(scene: NavigationScene) -> None:
    if gl_backend.renderer_name("egl") is None:
        pytest.skip("EGL is here, but draws nothing")
    renderer = GLRenderer(scene.model, scene.camera, "egl")
    try:
        rendered = np.asarray(renderer.draw(scene.data, scene.picture()).resize((64, 48)), dtype=float)
    finally:
        renderer.close()
    painted = np.asarray(Painter(scene.model, scene.camera).draw(scene.data, scene.picture()).resize((64, 48)), float)
    assert np.corrcoef(rendered.ravel(), painted.ravel())[0, 1] > 0.8
