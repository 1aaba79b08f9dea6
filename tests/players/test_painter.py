import mujoco
import numpy as np
import pytest
from PIL import Image

from rl_pipeline.players.navigation.scene import NavigationScene
from rl_pipeline.players.rendering.painter import Painter
from rl_pipeline.players.rendering.picture import Disc, Picture
from rl_pipeline.players.rendering.projection import Projection


@pytest.fixture
def scene() -> NavigationScene:
    return NavigationScene(seed=2)


def colour_at(scene: NavigationScene, image: Image.Image, x: float, y: float, z: float) -> tuple[int, ...]:
    """The colour of a frame where a point of the world is."""
    pixel = Projection(scene.camera, *image.size).pixels(np.array([(x, y, z)]))[0]
    colour = image.getpixel((round(pixel[0]), round(pixel[1])))
    assert isinstance(colour, tuple)
    return colour


def test_what_stands_nearer_is_painted_over_what_is_behind() -> None:
    scene = NavigationScene()
    scene.data.mocap_pos[:, 0] = 50.0
    tall, low = scene.model.body("obstacle_8").mocapid[0], scene.model.body("obstacle_0").mocapid[0]
    scene.data.mocap_pos[tall], scene.data.mocap_pos[low] = (0.0, 0.0, 0.0), (0.85, 0.0, 0.0)
    scene.data.mocap_quat[low] = (1.0, 0.0, 0.0, 0.0)
    mujoco.mj_forward(scene.model, scene.data)
    image = Painter(scene.model, scene.camera).draw(scene.data, Picture())
    red, _, blue = colour_at(scene, image, -0.2, 0.0, 0.64)
    assert red > 0.7 * blue, "the cylinder in front is violet, the box behind it blue"


def test_a_disc_is_painted_with_its_colour(scene: NavigationScene) -> None:
    scene.data.mocap_pos[:, 0] = 50.0
    mujoco.mj_forward(scene.model, scene.data)
    picture = Picture(discs=(Disc((0.0, 0.0), 0.5, (1.0, 0.0, 0.0, 1.0)),))
    image = Painter(scene.model, scene.camera).draw(scene.data, picture)
    assert colour_at(scene, image, 0.0, 0.2, 0.0) == (255, 0, 0)
