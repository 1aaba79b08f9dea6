"""Baselines: actions repeat with the seed and lie in the action space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl_pipeline.errors import UnknownNameError
from rl_pipeline.evaluation.agents import RandomAgent, ZeroAgent, baseline_agent


def test_random_actions_repeat_with_the_seed() -> None:
    space = spaces.Box(-1, 1, (3,))
    samples = [RandomAgent(space, 2, seed=5).predict(None)[0] for _ in range(2)]
    assert samples[0].shape == (2, 3)
    assert np.array_equal(samples[0], samples[1])


@pytest.mark.parametrize(
    ("space", "action"),
    [
        (spaces.Box(-1, 1, (2,)), [0.0, 0.0]),
        (spaces.Box(0.5, 1, (1,)), [0.5]),
        (spaces.Discrete(3), 0),
        (spaces.Discrete(3, start=2), 2),
        (spaces.MultiDiscrete([2, 3]), [0, 0]),
    ],
)
def test_the_zero_agent_stays_in_the_action_space(space: spaces.Space[Any], action: Any) -> None:
    actions, _ = ZeroAgent(space, 2).predict(None)
    assert actions.tolist() == [action, action]
    assert space.contains(actions[0])


def test_an_unknown_agent_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"--agent: unknown agent 'rendom'; did you mean 'random'"):
        baseline_agent("rendom", spaces.Discrete(2), 1, 0)
