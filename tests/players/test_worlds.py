"""Several worlds in one player do what as many players do, bit for bit."""

import numpy as np
import pytest

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.multi_world import response_lengths
from rl_pipeline.players.navigation.scene import NavigationParameters, NavigationScene
from rl_pipeline.players.navigation.worlds import NavigationWorlds
from rl_pipeline.players.worlds import SceneWorlds

WORLDS = 5
RESET, STEP = (load_interfaces().service(f"interfaces_pkg/Navigation{kind}Batch") for kind in ("Reset", "Step"))


def in_turn(seed=0):
    return SceneWorlds([NavigationScene(0.1, seed + world) for world in range(WORLDS)])


def together(seed=0):
    return NavigationWorlds(0.1, seed, WORLDS)


@pytest.fixture(params=[in_turn, together])
def make_worlds(request):
    return request.param


class Driver:
    """Calls worlds as a player does."""

    def __init__(self, worlds):
        self.worlds = worlds
        self.response = STEP.response.layout(response_lengths(NavigationScene.lengths, WORLDS)).empty(1)
        self.write = worlds.state_writer(self.response)

    def reset(self, seeds, **parameters):
        marks = [seed is not None for seed in seeds]
        request = RESET.request.layout({"reset": WORLDS, "seed": WORLDS, "parameters": WORLDS}).empty(1)
        request["reset"], request["seed"] = marks, [seed or 0 for seed in seeds]
        for name in NavigationParameters.__dataclass_fields__:
            request[f"parameters.{name}"] = parameters.get(name, np.nan)
        self.worlds.begin(request)
        return self.states()

    def step(self, twists, substeps=None):
        request = STEP.request.layout({"action": WORLDS}).empty(1)
        request["action.linear.x"], request["action.angular.z"] = np.transpose(twists)
        self.worlds.act(request)
        self.worlds.advance(substeps or self.worlds.substeps)
        return self.states()

    def states(self):
        self.write()
        return self.response.state.rows().copy()


class Scenes:
    """The reference: scenes of their own."""

    def __init__(self, seed=0):
        self.scenes = [NavigationScene(0.1, seed + world) for world in range(WORLDS)]
        codec = load_interfaces().service("interfaces_pkg/NavigationStep").response
        self.responses = [codec.layout(NavigationScene.lengths).empty(1) for _ in self.scenes]
        self.writers = [scene.state_writer(own) for scene, own in zip(self.scenes, self.responses, strict=True)]

    def reset(self, seeds, **parameters):
        for scene, seed in zip(self.scenes, seeds, strict=True):
            if seed is not None:
                scene.reset(seed, NavigationParameters(**parameters))
        return self.states()

    def step(self, twists, substeps=None):
        for scene, twist in zip(self.scenes, twists, strict=True):
            scene.drive(*twist)
            scene.advance(substeps or scene.substeps)
        return self.states()

    def states(self):
        for write in self.writers:
            write()
        return b"".join(own.state.opaque().tobytes() for own in self.responses)


def test_worlds_go_through_the_same_states_as_scenes_bit_for_bit(make_worlds):
    worlds, scenes, rng = Driver(make_worlds()), Scenes(), np.random.default_rng(0)
    assert worlds.states().opaque().tobytes() == scenes.states()
    for step in range(150):
        if step % 40 == 0:
            seeds = [step + world if (world + step) % 3 else None for world in range(WORLDS)]
            assert worlds.reset(seeds).opaque().tobytes() == scenes.reset(seeds)
        twists = rng.uniform((-0.5, -2.5), (2.5, 2.5), (WORLDS, 2))
        twists[step % WORLDS, step % 2] = np.nan if step % 7 == 0 else 0.3
        assert worlds.step(twists).opaque().tobytes() == scenes.step(twists), step


def test_worlds_take_parameters_as_scenes_do(make_worlds):
    worlds, scenes, rng = Driver(make_worlds()), Scenes(), np.random.default_rng(1)
    parameters = {"obstacle_count": 4, "goal_distance": 3.0, "speed_scale": 0.6, "lidar_noise": 0.1}
    seeds = range(10, 10 + WORLDS)
    first = worlds.reset(seeds, **parameters)
    assert first.opaque().tobytes() == scenes.reset(seeds, **parameters)
    assert worlds.reset([None] * WORLDS).opaque().tobytes() == first.opaque().tobytes()
    for _ in range(20):
        twists = rng.uniform((-0.5, -2.5), (2.5, 2.5), (WORLDS, 2))
        assert worlds.step(twists).opaque().tobytes() == scenes.step(twists)
    worlds.reset(seeds)
    assert worlds.step(twists).opaque().tobytes() != scenes.step(twists), "the parameters made no difference"


def test_a_vehicle_that_is_wrecked_within_a_step_stops_as_a_scene_does(make_worlds):
    worlds, scenes = Driver(make_worlds()), Scenes()
    full_ahead = np.tile((1.5, 0.05), (WORLDS, 1))
    wrecked = np.zeros(WORLDS, bool)
    for _ in range(120):
        states = worlds.step(full_ahead, substeps=20)
        assert states.opaque().tobytes() == scenes.step(full_ahead, substeps=20)
        wrecked |= states.health == 0.0
    assert wrecked.any()


def test_worlds_that_are_not_reset_stand_still(make_worlds):
    worlds = Driver(make_worlds())
    before = worlds.step(np.tile((1.0, 0.5), (WORLDS, 1)))
    after = worlds.reset([None, 77, None, None, None])
    same = [world for world in range(WORLDS) if before.array[world].tobytes() == after.array[world].tobytes()]
    assert same == [0, 2, 3, 4]


def test_a_picture_shows_the_first_world(make_worlds):
    worlds, scenes = make_worlds(), Scenes()
    driver = Driver(worlds)
    for step in range(5):
        twists = np.tile((1.0, 0.2 * step), (WORLDS, 1))
        driver.step(twists), scenes.step(twists)
    picture, expected = worlds.picture(), scenes.scenes[0].picture()
    assert picture.gauges == expected.gauges
    np.testing.assert_array_equal(picture.rays.ends, expected.rays.ends)
    np.testing.assert_array_equal(worlds.data.qpos, scenes.scenes[0].data.qpos)
