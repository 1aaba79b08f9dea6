"""Two halves of environments, one of which may be a step ahead, against the same environments in one batch."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.unwrapping import player_env, request_frames
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.tasks.navigation import NavigationTask

COUNT, HALF, HORIZON, SEED = 4, 2, 3, 11


def players(simulation: Callable[..., Any], count: int, seed: int, one: Any = None) -> PlayerVecEnv:
    task = NavigationTask(max_episode_steps=HORIZON)
    return PlayerVecEnv(
        PlayerVectorEnv(task, one or simulation(), count, BatchSettings(frames=True), seed=seed, seed_stride=COUNT)
    )  # fmt: skip


@pytest.fixture
def halves(simulation: Callable[..., Any]) -> Iterator[DoubleBufferedVecEnv]:
    one = simulation()
    venv = DoubleBufferedVecEnv(
        players(simulation, HALF, SEED, one), players(simulation, HALF, SEED + HALF, one)
    )  # fmt: skip
    yield venv
    venv.close()


def actions_of(step: int) -> NDArray[np.float32]:
    return np.random.default_rng(step).uniform(-1, 1, (COUNT, 2)).astype(np.float32)


def run_ahead(venv: DoubleBufferedVecEnv, steps: int) -> Iterator[tuple[Any, ...]]:
    for step in range(steps):
        venv.step_async(actions_of(step))
        if step + 1 < steps:
            venv.lead_wait()
            venv.lead_async(actions_of(step + 1)[HALF:])
        yield venv.step_wait()


@pytest.mark.parametrize("ahead", [True, False], ids=["a step ahead", "in step"])
def test_transitions_are_those_of_one_batch(
    simulation: Callable[..., Any], halves: DoubleBufferedVecEnv, ahead: bool
) -> None:
    whole = players(simulation, COUNT, SEED)
    np.testing.assert_array_equal(halves.reset(), whole.reset())
    steps = 3 * HORIZON
    taken = run_ahead(halves, steps) if ahead else (halves.step(actions_of(step)) for step in range(steps))
    ended = 0
    for step, (observations, rewards, dones, infos) in enumerate(taken):
        expected = whole.step(actions_of(step))
        np.testing.assert_array_equal(observations, expected[0])
        np.testing.assert_array_equal(rewards, expected[1])
        np.testing.assert_array_equal(dones, expected[2])
        for mine, theirs in zip(infos, expected[3], strict=True):
            assert mine.keys() == theirs.keys()
            if mine:
                ended += 1
                np.testing.assert_array_equal(mine["terminal_observation"], theirs["terminal_observation"])
    assert ended == 3 * COUNT


def test_reset_waits_for_the_step_of_the_leading_half(halves: DoubleBufferedVecEnv) -> None:
    halves.seed(SEED)
    first = halves.reset()
    halves.step_async(actions_of(0))
    halves.lead_wait()
    halves.lead_async(actions_of(1)[HALF:])
    halves.step_wait()
    halves.seed(SEED)
    np.testing.assert_array_equal(halves.reset(), first)
    assert not halves.step(actions_of(0))[2].any()


def test_a_player_lost_while_the_other_half_is_under_way_costs_its_episode_alone(
    halves: DoubleBufferedVecEnv,
) -> None:
    halves.reset()
    env = player_env(halves)
    assert env is not None
    halves.step_async(actions_of(0))
    halves.lead_wait()
    halves.lead_async(actions_of(1)[HALF:])
    os.kill(env._batch._simulation.processes[env.players[0]].pid, signal.SIGKILL)
    _, _, first, infos = halves.step_wait()
    halves.step_async(actions_of(1))
    _, _, second, more = halves.step_wait()
    # The response of the first step may have been sent before the player was gone; then the second one is lost.
    assert [index for index, info in enumerate([*infos, *more]) if info.get("player_lost")] in ([0], [COUNT])
    assert not (first | second)[1:].any()
    assert halves.step(actions_of(2))[2][1:].all()


def test_a_frame_that_is_asked_for_before_a_step_is_of_that_step(simulation: Callable[..., Any]) -> None:
    one = simulation("embedded")
    halves = DoubleBufferedVecEnv(players(simulation, 1, 0, one), players(simulation, 1, 1, one))
    halves.reset()
    for step in range(4):
        if step == 2:
            request_frames(halves, True)
        halves.step_async(actions_of(step)[:2])
        halves.lead_wait()
        halves.lead_async(actions_of(step + 1)[:1])
        halves.step_wait()
        assert [frame is not None for frame in halves.get_images()] == [step >= 2, False]


def test_attributes_and_methods_are_those_of_the_half_asked(halves: DoubleBufferedVecEnv) -> None:
    assert halves.players == [0, 1, 2, 3]
    assert halves.get_attr("players", [0, 3]) == [[0, 1], [2, 3]]
    assert halves.get_attr("num_envs") == [HALF] * COUNT
