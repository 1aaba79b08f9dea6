"""The episode loop: an agent in vector environments, with the seed of every episode fixed beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.infos import episode_success
from rl_pipeline.experiment.evaluations import Episodes
from rl_pipeline.run.agents import Agent


@dataclass(frozen=True)
class RolloutStep:
    """One step of every environment.

    Attributes:
        rewards: (N,) float.
        dones: (N,) bool, whether each episode ended with this step.
        infos: N dicts.
    """

    rewards: NDArray[np.floating[Any]]
    dones: NDArray[np.bool_]
    infos: list[dict[str, Any]]


def rollout(
    agent: Agent, venv: VecEnv, seed: int, deterministic: bool, *, begun: Callable[[], None] = lambda: None
) -> Iterator[RolloutStep]:
    """Reset to `seed` and let the agent act without end; recurrent states are carried, and reset with an episode.

    `begun` is called once, after the reset.
    """
    venv.seed(seed)
    observations = venv.reset()
    begun()
    state: Any = None
    starts: NDArray[np.bool_] = np.ones(venv.num_envs, dtype=np.bool_)
    while True:
        actions, state = agent.predict(observations, state=state, episode_start=starts, deterministic=deterministic)
        observations, rewards, starts, infos = venv.step(actions)
        yield RolloutStep(rewards, starts, infos)


def play_episodes(
    agent: Agent,
    venv: VecEnv,
    count: int,
    seed: int,
    *,
    deterministic: bool = True,
    each_step: Callable[[], None] = lambda: None,
    progress: Callable[[int], None] = lambda done: None,
) -> Episodes:
    """Play `count` episodes: environment i of N plays episodes i, i + N, i + 2N, ...

    Fixing beforehand which environment plays which episode keeps short episodes from being counted more often, and the
    result from depending on timing.

    Args:
        agent: what acts.
        venv: the environments.
        count: episodes in all, > 0.
        seed: of the first episode.
        deterministic: whether the agent takes its best action, or samples.
        each_step: called before each step; may raise to end the evaluation.
        progress: called with the number of episodes played, whenever one ends.
    """
    num_envs = venv.num_envs
    returns, lengths = np.zeros(count), np.zeros(count, dtype=np.int64)
    successes, lost = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    reported = False
    current = np.arange(num_envs)
    running_return, running_length = np.zeros(num_envs), np.zeros(num_envs, dtype=np.int64)
    for step in rollout(agent, venv, seed, deterministic):
        each_step()
        running_return += step.rewards
        running_length += 1
        for index in np.flatnonzero(step.dones):
            episode, info = current[index], step.infos[index]
            if episode < count:
                monitored = info.get("episode", {})
                returns[episode] = monitored.get("r", running_return[index])
                lengths[episode] = monitored.get("l", running_length[index])
                lost[episode] = info.get("player_lost", False) or info.get("invalid_state", False)
                success = episode_success(info)
                successes[episode] = bool(success)
                reported |= success is not None
            current[index] += num_envs
            running_return[index], running_length[index] = 0.0, 0
            progress(int(np.count_nonzero(lengths)))
        if (current >= count).all():
            break
    return Episodes(returns, lengths, successes if reported else None, lost)
