from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import hand_over_statistics
from rl_pipeline.registry import Registry
from rl_pipeline.wrappers import Use, register_wrapper, wrap, wrapper_names, wrapping

TRAINING, JUDGING = Use(training=True), Use(training=False)


@pytest.fixture
def pendulum() -> VecEnv:
    return make_vec_env("Pendulum-v1", n_envs=2, seed=1)


def act(venv: VecEnv, value: float = 0.5) -> Any:
    return venv.step(np.full((2, 1), value, np.float32))


def test_the_last_actions_are_observed_and_forgotten_with_the_episode(pendulum: VecEnv) -> None:
    venv = wrap(pendulum, {"action_history": {"length": 2}}, TRAINING)
    assert venv.observation_space.shape == (5,)
    assert venv.reset()[:, 3:].tolist() == [[0, 0]] * 2
    act(venv, 0.5)
    observations, _, dones, infos = act(venv, -1.0)
    assert observations[:, 3:].tolist() == [[0.5, -1.0]] * 2
    while not dones.any():
        observations, _, dones, infos = act(venv, 1.0)
    assert infos[0]["terminal_observation"][3:].tolist() == [1.0, 1.0]
    assert observations[:, 3:].tolist() == [[0, 0]] * 2


def test_wrappers_stand_in_one_order_whatever_the_order_in_the_file(pendulum: VecEnv) -> None:
    venv = wrap(pendulum, {"normalize": {}, "frame_stack": {"n_stack": 3}, "clip_observations": True}, TRAINING)
    names = []
    while venv is not pendulum:
        names.append(type(venv).__name__)
        venv = venv.venv  # type: ignore[attr-defined]
    assert names == ["VecNormalize", "VecFrameStack", "ClippedObservations"]


def test_rewards_are_changed_only_for_learning(pendulum: VecEnv) -> None:
    settings = {"clip_rewards": {"low": -0.1, "high": 0.1}, "normalize": {}}
    for use in (TRAINING, JUDGING):
        venv = wrap(make_vec_env("Pendulum-v1", n_envs=2, seed=1), settings, use)
        venv.reset()
        rewards = act(venv)[1]
        pendulum.seed(1)
        pendulum.reset()
        assert np.allclose(rewards, act(pendulum)[1]) == (use is JUDGING)


def test_statistics_stand_still_while_judging_and_can_be_handed_over(pendulum: VecEnv) -> None:
    learned = wrap(pendulum, {"normalize": {}}, TRAINING)
    judged: Any = wrap(make_vec_env("Pendulum-v1", n_envs=2), {"normalize": {}}, JUDGING)
    learned.reset()
    for _ in range(20):
        act(learned)
    hand_over_statistics(learned, judged)
    before = judged.obs_rms.mean.copy()
    judged.reset()
    assert np.array_equal(judged.obs_rms.mean, before)
    assert not np.allclose(before, 0)


def test_clipping_bounds_the_observations_and_their_space(pendulum: VecEnv) -> None:
    venv = wrap(pendulum, {"clip_observations": {"low": -0.2, "high": 0.2}}, JUDGING)
    assert isinstance(venv.observation_space, spaces.Box)
    assert venv.observation_space.high.max() == np.float32(0.2)
    assert np.abs(venv.reset()).max() <= 0.2


def test_null_leaves_a_wrapper_out(pendulum: VecEnv) -> None:
    assert wrap(pendulum, {"normalize": None, "frame_stack": False}, TRAINING) is pendulum


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"normalise": {}}, "wrappers.normalise: unknown wrapper 'normalise'; did you mean 'normalize'"),
        ({"normalize": {"gama": 1}}, "wrappers.normalize.gama: .*did you mean 'gamma'"),
        ({"frame_stack": {"n_stack": 0}}, "wrappers.frame_stack.n_stack: .*greater than 0, found 0"),
        ({"frame_stack": 4}, "wrappers.frame_stack: expected its settings, true or null, found 4"),
        ({"clip_rewards": {"low": 1.0, "high": 0.0}}, "wrappers.clip_rewards: .*expected low < high"),
    ],
)
def test_mistakes_name_the_key(pendulum: VecEnv, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        wrap(pendulum, settings, TRAINING)


def test_a_wrapper_that_does_not_suit_the_environment_is_refused() -> None:
    with pytest.raises(InputError, match=r"wrappers.action_history: does not suit Box.*a Box of actions"):
        wrap(make_vec_env("CartPole-v1"), {"action_history": {}}, TRAINING)


def test_a_registered_wrapper_stands_inside_of_normalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: Registry[ModuleType] = Registry("wrapper")
    for name in wrapping.WRAPPERS:
        registry.register(name, wrapping.WRAPPERS.target(name))
    monkeypatch.setattr(wrapping, "WRAPPERS", registry)
    register_wrapper("second_clip", "rl_pipeline.wrappers.clip_rewards")
    assert wrapper_names()[-2:] == ["second_clip", "normalize"]
    with pytest.raises(InputError, match="registered already"):
        register_wrapper("second_clip", "rl_pipeline.wrappers.clip_rewards")
