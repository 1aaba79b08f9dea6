"""NaN and infinity of Gymnasium environments end an episode, and reach neither the policy nor what is saved."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.envs.gymnasium_envs.finite_vec_env import MAX_WARNINGS, FiniteVecEnv
from rl_pipeline.envs.nan_guard import MAX_IN_A_ROW, ActionError
from rl_pipeline.errors import InputError

BOX = spaces.Box(-1, 1, (2,), np.float32)
NAN = float("nan")


class Scripted(gymnasium.Env[Any, Any]):
    """Observes the number of the step, and pays it; where `bad` says, something else.

    `bad` maps (episode, step) to an observation and a reward; the observation after a reset is that of step 0.
    """

    action_space = BOX

    def __init__(self, bad: dict[tuple[int, int], tuple[Any, float]], length: int = 6, as_dict: bool = False) -> None:
        self.bad, self.length, self.as_dict, self.episode, self.taken = bad, length, as_dict, -1, 0
        self.observation_space = spaces.Dict({"speed": BOX, "place": BOX}) if as_dict else BOX

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.episode, self.taken = self.episode + 1, 0
        return self._result()[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.taken += 1
        return *self._result(), self.taken == self.length, False, {}

    def _result(self) -> tuple[Any, float]:
        value, reward = self.bad.get((self.episode, self.taken), (self.taken, float(self.taken)))
        observation = np.full(2, value, np.float32)
        return ({"speed": observation, "place": np.zeros(2, np.float32)} if self.as_dict else observation), reward


def opened(*environments: Scripted) -> FiniteVecEnv:
    return FiniteVecEnv(DummyVecEnv([lambda env=env: Monitor(env) for env in environments]), "Test/Scripted-v0")


def act(venv: FiniteVecEnv, steps: int = 1) -> Any:
    for _ in range(steps):
        result = venv.step(np.zeros((venv.num_envs, 2), np.float32))
    return result


@pytest.mark.parametrize(
    ("bad", "part"), [((NAN, 3.0), "the observation"), ((3, NAN), "the reward"), ((np.inf, -np.inf), "the observation")]
)
def test_an_invalid_step_ends_its_episode_and_no_other(
    caplog: pytest.LogCaptureFixture, bad: tuple[float, float], part: str
) -> None:
    venv = opened(Scripted({}), Scripted({(0, 3): bad}))
    venv.reset()
    act(venv, 2)
    observations, rewards, dones, infos = act(venv)
    assert observations.tolist() == [[3, 3], [0, 0]]
    assert rewards.tolist() == [3, 0]
    assert dones.tolist() == [False, True]
    assert infos[1]["invalid_state"]
    assert infos[1]["TimeLimit.truncated"]
    assert infos[1]["terminal_observation"].tolist() == [2, 2]
    (warning,) = caplog.messages
    assert f"environment 1 (Test/Scripted-v0), step 3 of an episode: NaN or infinity in {part}" in warning
    observations, rewards, dones, _ = act(venv)
    assert observations.tolist() == [[4, 4], [1, 1]]
    assert not dones.any()


def test_an_invalid_last_step_is_truncated_with_the_observation_before(caplog: pytest.LogCaptureFixture) -> None:
    venv = opened(Scripted({(0, 6): (NAN, NAN)}))
    venv.reset()
    observations, rewards, dones, infos = act(venv, 6)
    assert observations.tolist() == [[0, 0]]
    assert (rewards.tolist(), dones.tolist()) == ([0], [True])
    assert infos[0]["terminal_observation"].tolist() == [5, 5]
    assert "episode" not in infos[0], "its return is NaN"
    assert venv.venv.envs[0].get_wrapper_attr("episode") == 1, "the environments had begun the next one already"
    assert "the observation and the reward" in caplog.text


def test_an_episode_that_begins_with_nan_is_begun_again() -> None:
    venv = opened(Scripted({(0, 0): (NAN, 0.0), (2, 0): (NAN, 0.0)}))
    assert venv.reset().tolist() == [[0, 0]]
    observations, _, dones, infos = act(venv, 6)
    assert observations.tolist() == [[0, 0]]
    assert dones.tolist() == [True]
    assert "invalid_state" not in infos[0], "the ended episode was sound"


def test_a_part_of_a_dict_is_named(caplog: pytest.LogCaptureFixture) -> None:
    venv = opened(Scripted({(0, 1): (NAN, 1.0)}, as_dict=True))
    venv.reset()
    observations, *_ = act(venv)
    assert {key: value.tolist() for key, value in observations.items()} == {"speed": [[0, 0]], "place": [[0, 0]]}
    assert "NaN or infinity in 'speed' of the observation" in caplog.text


@pytest.mark.parametrize("step", [0, 1])
def test_an_environment_that_is_never_valid_ends_the_run(step: int) -> None:
    venv = opened(Scripted({(episode, step): (NAN, 1.0) for episode in range(100)}))
    with pytest.raises(InputError, match=rf"Test/Scripted-v0.*that was {MAX_IN_A_ROW} times in a row"):
        begin_and_act(venv)


def begin_and_act(venv: FiniteVecEnv) -> None:
    venv.reset()
    act(venv, MAX_IN_A_ROW)


def test_invalid_steps_with_valid_ones_between_go_on_with_a_bounded_number_of_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    venv = opened(Scripted({(episode, 2): (NAN, 1.0) for episode in range(100)}))
    venv.reset()
    act(venv, 100)
    assert len(caplog.messages) == MAX_WARNINGS
    assert "no more of these warnings follow" in caplog.messages[-1]


def test_actions_of_a_policy_that_has_diverged_are_refused() -> None:
    venv = opened(Scripted({}))
    venv.reset()
    with pytest.raises(ActionError, match="it has diverged"):
        venv.step(np.full((1, 2), NAN))
