"""The actions that led to a state, as an attribute of states."""

import numpy as np
import pytest

from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.received_states import StateHistory, attach_last_actions
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.interfaces import Interfaces
from rl_pipeline.tasks.navigation import NavigationTask


class SmoothTask(NavigationTask):
    """Rewards nothing but a small change of the action, and observes the last action too."""

    def __init__(self):
        super().__init__(num_rays=32)  # two more numbers

    def observation(self, state):
        return np.concatenate([super().observation(state), state.last_actions], axis=1)

    def reward(self, previous, actions, state):
        return -np.abs(actions - previous.last_actions).sum(axis=1).astype(np.float64)


def actions(*speeds):
    return np.array([[speed, 0.5] for speed in speeds], np.float32)


def test_reward_sees_the_change_of_the_action_and_none_of_the_episode_before(simulation):
    env = PlayerVectorEnv(SmoothTask(), simulation(), 2, BatchSettings(horizon=3))
    observation, _ = env.reset(seed=0)
    assert (observation[:, -2:] == 0.0).all()
    given = [actions(0.25, 0.5), actions(0.5, 0.5), actions(-0.5, 1.0), actions(0.25, 0.25)]
    rewards, observations = [], []
    for each in given:
        observation, reward, *_, info = env.step(each)
        rewards.append(reward.tolist())
        observations.append(info.get("final_obs", observation)[:, -2:].tolist())
    assert rewards == [[-0.75, -1.0], [-0.25, 0.0], [-1.0, -0.5], [-0.75, -0.75]]
    assert observations == [each.tolist() for each in given]


def test_first_observation_of_the_next_episode_has_no_action(simulation):
    env = PlayerVectorEnv(SmoothTask(), simulation(), 2, BatchSettings(horizon=1))
    env.reset(seed=0)
    observation, *_, info = env.step(actions(0.25, 0.5))
    assert (info["final_obs"][:, -2] == [0.25, 0.5]).all()
    assert (observation[:, -2:] == 0.0).all()


def test_episodes_that_go_on_keep_their_last_actions_when_others_end(simulation):
    env = PlayerVectorEnv(SmoothTask(), simulation(), 3)
    env.reset(seed=0)
    env.step(actions(0.25, 0.5, 0.75))
    env._batch.reset(np.array([1]), np.array([7]))
    _, reward, *_ = env.step(actions(0.25, 0.5, 0.75))
    assert reward.tolist() == [0.0, -1.0, 0.0]


@pytest.mark.parametrize("field", ["last_actions", "position"])
def test_field_of_the_message_takes_precedence(tmp_path, field):
    package = tmp_path / "parts"
    (package / "msg").mkdir(parents=True)
    (package / "package.xml").write_text("<package><name>parts</name></package>")
    (package / "msg" / "Part.msg").write_text(f"float64 {field}\n")
    states = Interfaces(tmp_path).message("parts/Part").layout().empty(2)
    states[field] = [3.0, 4.0]
    history = StateHistory(states, (1,), np.dtype(np.float32))
    history.advance(np.ones((2, 1)))
    taken = history.current.last_actions
    assert taken.shape == ((2,) if field == "last_actions" else (2, 1))
    assert history.last(0, 1)[1].tolist() == [[1.0]]


def test_attached_actions_go_along_when_rows_are_taken():
    states = Interfaces().message("std_msgs/Float64").layout().empty(3)
    attach_last_actions(states, np.arange(3.0)[:, None])
    assert states.take(np.array([2])).last_actions.tolist() == [[2.0]]
