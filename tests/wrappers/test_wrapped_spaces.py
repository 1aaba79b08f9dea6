"""Wrappers around images, dictionaries and discrete observations: suited, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, unwrap_vec_normalize

from rl_pipeline.algorithms.architecture import default_policy
from rl_pipeline.algorithms.registration import find_algorithm
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.stub_vec_env import StubVecEnv
from rl_pipeline.wrappers import Use, wrap
from tests.support.odd_environments import CAMERA, TORQUES, VECTOR

TRAINING = Use(training=True)
CAMERA_AND_STATE = spaces.Dict({"camera": CAMERA, "state": VECTOR, "goal": VECTOR, "gear": spaces.Discrete(4)})
TICKS = spaces.Box(0, 100, (3,), np.int32)


def wrapped(space: spaces.Space[Any], wrappers: dict[str, Any]) -> VecEnv:
    return wrap(StubVecEnv(space, TORQUES, 2), wrappers, TRAINING)


def normalizer(space: spaces.Space[Any], **settings: Any) -> VecNormalize:
    found = unwrap_vec_normalize(wrapped(space, {"normalize": settings}))
    assert found is not None
    return found


def policy_for(space: spaces.Space[Any]) -> str:
    return default_policy(find_algorithm("ppo").load(), space)


def test_an_image_stays_one_for_the_policy_when_normalised() -> None:
    made = normalizer(CAMERA)
    assert policy_for(made.observation_space) == "CnnPolicy"
    assert not made.norm_obs
    assert made.norm_reward


def test_images_are_transposed_before_they_are_stored_as_original_observations() -> None:
    stage = StubVecEnv(CAMERA, TORQUES, 2)
    made: Any = wrap(stage, {"normalize": {"observations": False}}, TRAINING)
    stage.observations = np.stack([CAMERA.sample(), CAMERA.sample()])
    made.reset()
    assert made.get_original_obs().shape == (2, 3, 64, 64)


def test_of_a_dictionary_every_box_but_images_is_normalised() -> None:
    made = normalizer(CAMERA_AND_STATE)
    assert made.norm_obs_keys == ["goal", "state"]
    assert isinstance(made.observation_space, spaces.Dict)
    assert made.observation_space["camera"].dtype == np.uint8
    assert policy_for(made.observation_space) == "MultiInputPolicy"


def test_keys_to_normalise_can_be_chosen() -> None:
    stage = StubVecEnv(CAMERA_AND_STATE, TORQUES, 2)
    made: Any = wrap(stage, {"normalize": {"norm_obs_keys": ["state"]}}, TRAINING)
    samples = [CAMERA_AND_STATE.sample() for _ in range(2)]
    stage.observations = {key: np.stack([sample[key] for sample in samples]) for key in CAMERA_AND_STATE}
    seen = made.reset()
    assert np.array_equal(seen["goal"], stage.observations["goal"])
    assert not np.array_equal(seen["state"], stage.observations["state"])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["sate"], "norm_obs_keys: unknown observation 'sate'; did you mean 'state'"),
        (["camera"], "norm_obs_keys: expected some of goal, state, found camera, which is an image"),
        (["gear"], r"norm_obs_keys: expected some of goal, state, found gear, which is Discrete\(4\)"),
    ],
)
def test_keys_that_cannot_be_normalised_are_refused(keys: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"wrappers.normalize.{message}"):
        normalizer(CAMERA_AND_STATE, norm_obs_keys=keys)


def test_keys_of_observations_that_are_no_dictionary_are_refused() -> None:
    with pytest.raises(InputError, match="norm_obs_keys: expected null, since the observations are no dictionary"):
        normalizer(VECTOR, norm_obs_keys=["state"])


@pytest.mark.parametrize(
    ("name", "space", "message"),
    [
        ("frame_stack", CAMERA_AND_STATE, r"expected a Box, or a Dict of Boxes, found Discrete\(4\)"),
        ("frame_stack", spaces.MultiDiscrete([2, 3]), "expected a Box, or a Dict of Boxes"),
        ("normalize", spaces.Discrete(3), "nothing in it is a Box"),
        ("normalize", spaces.Dict({"gear": spaces.Discrete(4)}), "nothing in it is a Box"),
        ("clip_observations", CAMERA, "an image with other bounds"),
        ("clip_observations", spaces.Discrete(3), "expected a Box or a Dict"),
        ("clip_observations", spaces.Dict({"gear": spaces.Discrete(4)}), "expected a Box of floating-point numbers"),
        ("action_history", TICKS, "such as float32, found int32"),
        ("action_history", CAMERA, "expected a flat Box or a Dict"),
        ("action_history", spaces.Dict({"action_history": VECTOR}), "expected no key 'action_history'"),
    ],
)
def test_a_wrapper_that_does_not_suit_the_observations_says_so(
    name: str, space: spaces.Space[Any], message: str
) -> None:
    with pytest.raises(InputError, match=rf"wrappers\.{name}: does not suit .*{message}"):
        wrapped(space, {name: {}})


def test_clipping_and_the_last_actions_leave_images_of_a_dictionary_alone() -> None:
    stage = StubVecEnv(CAMERA_AND_STATE, TORQUES, 2)
    made: Any = wrap(stage, {"clip_observations": {"low": -0.1, "high": 0.1}, "action_history": {}}, TRAINING)
    samples = [CAMERA_AND_STATE.sample() for _ in range(2)]
    stage.observations = {key: np.stack([sample[key] for sample in samples]) for key in CAMERA_AND_STATE}
    seen = made.reset()
    assert np.abs(seen["state"]).max() <= 0.1 < np.abs(stage.observations["state"]).max()
    assert np.array_equal(seen["camera"], stage.observations["camera"])
    assert seen["action_history"].shape == (2, *TORQUES.shape)
    assert all(made.observation_space[key].contains(row) for key, rows in seen.items() for row in rows)
