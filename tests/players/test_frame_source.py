import io
import math

import numpy as np
import pytest
from PIL import Image

from rl_pipeline.players.navigation.scene import NavigationScene
from rl_pipeline.players.rendering import gl_backend
from rl_pipeline.players.rendering.frame_source import FrameSource, open_renderer
from rl_pipeline.players.rendering.painter import Painter
from rl_pipeline.players.rendering.projection import Projection


@pytest.fixture
def scene() -> NavigationScene:
    return NavigationScene(seed=2)


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    gl_backend.working_backend.cache_clear()


def frames_of(scene: NavigationScene) -> FrameSource:
    return FrameSource(scene.model, scene.data, scene.camera, scene.picture)


def colour_at(scene: NavigationScene, image: Image.Image, x: float, y: float, z: float) -> tuple[int, ...]:
    """The colour of a frame where a point of the world is."""
    pixel = Projection(scene.camera, *image.size).pixels(np.array([(x, y, z)]))[0]
    colour = image.getpixel((round(pixel[0]), round(pixel[1])))
    assert isinstance(colour, tuple)
    return colour


@pytest.mark.usefixtures("painted")
def test_a_frame_is_a_jpeg_of_640_by_480_that_shows_something(scene: NavigationScene) -> None:
    image = Image.open(io.BytesIO(frames_of(scene).encoded()))
    assert (image.format, image.size) == ("JPEG", (640, 480))
    pixels = np.asarray(image)
    assert len(np.unique(pixels.reshape(-1, 3) // 16, axis=0)) > 100
    assert pixels.std() > 20


@pytest.mark.usefixtures("painted")
def test_the_painter_shows_vehicle_and_goal_where_they_are(scene: NavigationScene) -> None:
    image = frames_of(scene).image()
    x, y, yaw = scene.layout.start
    front_left = (0.2, 0.1)
    deck_x = x + math.cos(yaw) * front_left[0] - math.sin(yaw) * front_left[1]
    deck_y = y + math.sin(yaw) * front_left[0] + math.cos(yaw) * front_left[1]
    red, green, blue = colour_at(scene, image, deck_x, deck_y, 0.22)
    assert red > green + 40 > blue + 60, "the hull is amber"
    goal_x, goal_y = scene.layout.goal
    red, green, blue = colour_at(scene, image, goal_x - 0.35, goal_y - 0.2, 0.0)
    assert green > red + 20


@pytest.mark.usefixtures("painted")
def test_the_frame_changes_as_the_vehicle_moves_and_with_a_new_arena(scene: NavigationScene) -> None:
    frames = frames_of(scene)
    first = np.asarray(frames.image())
    scene.drive(1.0, 0.5)
    scene.advance(20)
    moved = np.asarray(frames.image())
    scene.reset(3)
    other = np.asarray(frames.image())
    assert (first != moved).any()
    assert (moved != other).mean() > (first != moved).mean()


@pytest.mark.usefixtures("painted")
def test_drawing_does_not_change_the_simulation() -> None:
    watched, unwatched = NavigationScene(seed=5), NavigationScene(seed=5)
    frames = frames_of(watched)
    for scene in (watched, unwatched):
        scene.drive(1.5, 0.6)
    for _ in range(20):
        frames.image()
        watched.advance(5)
        unwatched.advance(5)
    assert watched.data.qpos.tobytes() == unwatched.data.qpos.tobytes()
    assert watched.data.qvel.tobytes() == unwatched.data.qvel.tobytes()


@pytest.mark.usefixtures("painted")
def test_without_gl_frames_are_painted(scene: NavigationScene) -> None:
    assert isinstance(open_renderer(scene.model, scene.camera), Painter)
