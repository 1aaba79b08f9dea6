import json

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from rl_pipeline.algorithms.self_play import OpponentPool
from rl_pipeline.algorithms.self_play.opponent_pool import K_FACTOR, expected_score, points_won
from rl_pipeline.config.schema import SelfPlayConfig

ENVIRONMENTS = 6
EVERYONE = np.arange(ENVIRONMENTS)
OBSERVATIONS = np.random.default_rng(0).normal(size=(ENVIRONMENTS, 3)).astype(np.float32)


def make_policy(seed=0):
    torch.manual_seed(seed)
    box = spaces.Box(-1.0, 1.0, (2,), np.float32)
    return ActorCriticPolicy(spaces.Box(-9.0, 9.0, (3,), np.float32), box, lambda _: 1e-3, log_std_init=-20.0)


def pool(policy=None, **settings):
    made = OpponentPool(SelfPlayConfig(enabled=True, **settings), ENVIRONMENTS, seed=0)
    made.follow(policy or make_policy())
    return made


def shift(policy, by):
    """Have a policy act otherwise from now on."""
    with torch.no_grad():
        policy.action_net.bias.add_(by)


def actions_of(policy):
    return policy.predict(OBSERVATIONS, deterministic=True)[0]


def test_odds_follow_from_the_difference_of_ratings():
    assert expected_score(1200, 1200) == 0.5
    assert expected_score(1600, 1200) == pytest.approx(10 / 11)
    assert points_won(1200, 1200, 1.0) == K_FACTOR / 2
    assert points_won(1600, 1200, 0.0) == pytest.approx(-K_FACTOR * 10 / 11)


def test_snapshots_stay_as_they_were_and_the_last_ones_are_kept():
    policy = make_policy()
    opponents = pool(policy, window=3, save_steps=100)
    first = actions_of(policy)
    taken = []
    for timesteps in range(0, 600, 50):
        taken.append(opponents.update(timesteps))
        shift(policy, 0.02)
    assert taken == [True, False] * 6
    assert [snapshot.timesteps for snapshot in opponents.snapshots] == [300, 400, 500]
    expected = np.clip(first + 0.02 * 6, -1.0, 1.0)
    np.testing.assert_allclose(opponents.snapshots[0].act(OBSERVATIONS), expected, atol=1e-5)


def test_each_environment_is_played_by_its_own_opponent():
    policy = make_policy()
    opponents = pool(policy, save_steps=1, play_against_latest_model_ratio=0.3)
    for timesteps in range(4):
        opponents.update(timesteps)
        shift(policy, 0.1)
    opponents.begin(EVERYONE)
    actions = opponents.act(OBSERVATIONS)
    candidates = [actions_of(each) for each in (policy, *(snapshot.policy for snapshot in opponents.snapshots))]
    played = [
        next(number for number, one in enumerate(candidates) if np.allclose(one[row], actions[row], atol=1e-4))
        for row in range(ENVIRONMENTS)
    ]
    assert len(set(played)) > 2


@pytest.mark.parametrize(("ratio", "rated"), [(1.0, 0), (0.0, 3)])
def test_the_ratio_says_how_often_the_agent_plays_itself_which_is_not_rated(ratio, rated):
    opponents = pool(play_against_latest_model_ratio=ratio)
    opponents.begin(EVERYONE)
    opponents.end(np.arange(3), np.ones(3))
    assert len(opponents.results) == rated
    assert (opponents.elo > 1200) == (rated > 0)


def test_points_that_one_wins_the_other_loses():
    opponents = pool(play_against_latest_model_ratio=0.0, initial_elo=1000)
    opponents.begin(EVERYONE)
    opponents.end(EVERYONE, np.array([1.0, 1.0, 0.5, 1.0, 0.0, 1.0]))
    assert opponents.elo > 1000
    assert opponents.elo + opponents.snapshots[0].elo == pytest.approx(2000)


def test_opponents_change_with_an_episode_but_not_before_their_steps_are_over():
    opponents = pool(swap_steps=5, save_steps=1, play_against_latest_model_ratio=0.0)
    for timesteps in range(10):
        opponents.update(timesteps)
    opponents.begin(EVERYONE)
    before = list(opponents._playing)
    opponents.act(OBSERVATIONS)
    opponents.begin(EVERYONE)
    assert opponents._playing == before
    for _ in range(5):
        opponents.act(OBSERVATIONS)
    assert opponents._playing == before
    opponents.begin(EVERYONE)
    assert opponents._playing != before


def through_files(state, folder):
    """A state as it comes back from arrays and JSON in files."""
    arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
    np.savez(folder / "state.npz", **arrays)
    with np.load(folder / "state.npz") as file:
        return dict(file) | json.loads(json.dumps({key: state[key] for key in state if key not in arrays}))


def test_a_pool_goes_on_where_its_state_was_taken(tmp_path):
    policy = make_policy()
    opponents = pool(policy, save_steps=50, window=2)
    for timesteps in range(0, 300, 50):
        opponents.update(timesteps)
        opponents.begin(EVERYONE[timesteps // 50 :])
        opponents.end(EVERYONE, np.resize([1.0, 0.0, 1.0], ENVIRONMENTS))
        shift(policy, 0.03)
    resumed = pool(policy, save_steps=50, window=2)
    resumed.load_state_dict(through_files(opponents.state_dict(), tmp_path))
    for timesteps in range(300, 500, 50):
        for each in (opponents, resumed):
            each.begin(EVERYONE)
            each.update(timesteps)
            each.end(EVERYONE, np.resize([1.0, 0.5], ENVIRONMENTS))
        np.testing.assert_allclose(resumed.act(OBSERVATIONS), opponents.act(OBSERVATIONS), atol=1e-5)
        assert resumed.elo == opponents.elo
        assert [one.elo for one in resumed.snapshots] == [one.elo for one in opponents.snapshots]
