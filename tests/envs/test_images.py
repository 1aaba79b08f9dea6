"""Tasks that observe images: raw ones where they were received, JPEGs decoded, and those of two steps kept apart."""

import tracemalloc

import numpy as np
import pytest

from rl_pipeline.benchmarks.camera_images import ImageTask, make_image
from rl_pipeline.benchmarks.canned import canned_simulation
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.player_env import PlayerEnv
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.simulation.simulation import PlayerError, Simulation

SMALL = ImageSpec(84, 84)


class ShortImageTask(ImageTask):
    def __init__(self, image):
        super().__init__(image)
        self.max_episode_steps = 3


@pytest.fixture
def canned(tmp_path):
    """Environments on players that answer with one image."""
    opened = []

    def open_(image, num_envs, *, sent=None):
        config, _ = canned_simulation(tmp_path, image=make_image(sent or image))
        opened.append(Simulation(config, "navigation", tmp_path / "logs"))
        opened.append(PlayerVectorEnv(ImageTask(image), opened[0], num_envs))
        return opened[-1]

    yield open_
    for one in reversed(opened):
        one.close()


@pytest.fixture(scope="module", params=["rgb8", "jpeg"])
def embedded(request, tmp_path_factory):
    """Two environments on embedded players, whose images change with each step."""
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}})
    with Simulation(config, "navigation", tmp_path_factory.mktemp("logs")) as simulation:
        env = PlayerVectorEnv(ShortImageTask(ImageSpec(84, 84, request.param)), simulation, 2)
        yield env
        env.close()


FORWARD = np.ones((2, 2), np.float32)


def test_convolutional_policy_learns_on_images(embedded):
    from stable_baselines3 import PPO

    model = PPO("CnnPolicy", PlayerVecEnv(embedded), n_steps=4, batch_size=8, n_epochs=1, device="cpu")
    model.learn(8)
    assert model.num_timesteps == 8


@pytest.mark.parametrize("num_envs", [1, 3])
def test_raw_image_is_observed_as_it_was_sent(canned, num_envs):
    env = canned(SMALL, num_envs)
    expected = np.frombuffer(make_image(SMALL), np.uint8).reshape(84, 84, 3)
    for observation in [env.reset(seed=0)[0], *(env.step(np.ones((num_envs, 2), np.float32))[0] for _ in range(5))]:
        assert (observation == expected).all()


def test_jpeg_is_observed_as_what_it_shows(canned):
    env = canned(ImageSpec(84, 84, "jpeg"), 2)
    expected = np.frombuffer(make_image(SMALL), np.uint8).reshape(84, 84, 3).astype(int)
    for observation in [env.reset(seed=0)[0], *(env.step(FORWARD)[0] for _ in range(5))]:
        assert abs(observation - expected).mean() < 25, "far nearer than any other image"


def test_large_raw_image_is_copied_into_the_batch_and_nowhere_else(canned):
    image = ImageSpec(720, 1280)
    env = canned(image, 2)
    env.reset(seed=0)
    for _ in range(6):
        env.step(FORWARD)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(6):
            observation = env.step(FORWARD)[0]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not observation.flags.owndata, "the observation is the memory that was received into"
    assert peak - before < np.prod(image.shape) / 4, (
        "a copy of one of the images that are received would be 4 times that"
    )


def test_images_change_and_stay_until_the_step_after_the_next(embedded):
    embedded.reset(seed=0)
    observation = embedded.step(FORWARD)[0]
    kept = observation.copy()
    following = embedded.step(FORWARD)[0]
    assert (observation == kept).all()
    assert (following != kept).any(axis=(1, 2, 3)).all()


def test_first_image_of_an_episode_leaves_the_last_of_the_one_before(embedded):
    embedded.reset(seed=0)
    for _ in range(2):
        before = embedded.step(FORWARD)[0].copy()
    observation, *_, truncated, info = embedded.step(FORWARD)
    assert truncated.all()
    change = [np.abs(image.astype(int) - before).mean() for image in (info["final_obs"], observation)]
    assert 0 < change[0] < change[1], "one more step changes less of an image than a new arena"


def test_lost_player_leaves_the_last_image(embedded):
    embedded.reset(seed=0)
    before = embedded.step(FORWARD)[0].copy()
    process = embedded._batch._simulation.processes[embedded.players[1]]
    process.stop(timeout=0)
    *_, info = embedded.step(FORWARD)
    assert info["final_info"]["player_lost"].tolist() == [False, True]
    assert (info["final_obs"][1] == before[1]).all()
    assert (info["final_obs"][0] != before[0]).any()


def test_single_environment_gives_images_that_may_be_kept(settings):
    simulation = {"ros": {"tcp_port": 0}}
    env = PlayerEnv(ImageTask(SMALL), simulation=simulation)
    try:
        images = [env.reset(seed=0)[0], *(env.step(FORWARD[0])[0] for _ in range(4))]
        assert len({image.tobytes() for image in images}) == 5
    finally:
        env.close()


def test_image_of_another_size_is_one_clear_error(canned):
    env = canned(ImageSpec(84, 84, "jpeg"), 1, sent=ImageSpec(60, 80, "jpeg"))
    with pytest.raises(PlayerError, match=r"an image of 80 by 60 pixels, expected 84 by 84"):
        env.reset(seed=0)


def test_images_of_players_with_many_worlds_are_refused(canned, tmp_path):
    simulation = canned(SMALL, 1)._batch._simulation
    with pytest.raises(InputError, match=r"worlds_per_player: ImageTask observes images, .* expected 1, found 2"):
        PlayerVectorEnv(ImageTask(SMALL), simulation, 2, BatchSettings(worlds=2))
