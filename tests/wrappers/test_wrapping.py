"""Wrappers by name: their order, their settings, and their use in training and evaluation."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.errors import InputError
from rl_pipeline.registry import Registry
from rl_pipeline.wrappers import register_wrapper, wrap, wrapper_names, wrapping
from tests.support.wrapped_pendulum import JUDGING, TRAINING, act


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
