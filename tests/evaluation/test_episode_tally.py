"""The tally of episodes: environment i of N plays episodes i, i + N, i + 2N, ..."""

import numpy as np

from rl_pipeline.evaluation.episode_tally import EpisodeTally, RolloutStep


def step(rewards, dones, infos=None):
    return RolloutStep(np.array(rewards), np.array(dones), infos or [{} for _ in rewards])


def test_episodes_are_assigned_to_environments_beforehand():
    tally = EpisodeTally(3, num_envs=2)
    assert not tally.add(step([1.0, 10.0], [False, False]))
    assert tally.add(step([1.0, 10.0], [True, False]))
    assert tally.add(step([5.0, 10.0], [True, False]))
    assert (tally.ended, tally.complete) == (2, False)
    tally.add(step([7.0, 10.0], [True, True]))
    assert (tally.ended, tally.complete) == (3, True)
    episodes = tally.episodes()
    assert episodes.returns.tolist() == [2.0, 40.0, 5.0], "the fourth episode is not counted"
    assert episodes.lengths.tolist() == [2, 4, 1]
    assert episodes.successes is None


def test_figures_of_a_monitor_and_losses_are_taken_from_the_info():
    tally = EpisodeTally(2, num_envs=2)
    monitored = {"episode": {"r": 3.5, "l": 9}, "is_success": True}
    tally.add(step([1.0, 1.0], [True, True], [monitored, {"invalid_state": True}]))
    episodes = tally.episodes()
    assert episodes.returns.tolist() == [3.5, 1.0]
    assert episodes.lengths.tolist() == [9, 1]
    assert episodes.successes.tolist() == [True, False]
    assert episodes.lost.tolist() == [False, True]
