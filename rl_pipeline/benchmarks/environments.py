"""Environments of Gymnasium in the trainer's process and in worker processes: the environments benchmark."""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

from rl_pipeline.benchmarks.figures import Figures, interleave, spread, times

CASES: Final = ("CartPole-v1", "Ant-v5", "CarRacing-v3")
"""Environments with a step of microseconds, of rigid bodies in MuJoCo, and of drawing an image."""
HERE: Final = "trainer's process"
SHARED: Final = "environment_processes"
SUBPROC: Final = "SubprocVecEnv"
ASYNC: Final = "AsyncVectorEnv"
NOTE: Final = (
    "Steps of all environments together, with random actions. environment_processes: as many as the machine has cores; "
    "SubprocVecEnv (Stable-Baselines3) and AsyncVectorEnv (Gymnasium, shared memory): one for each environment."
)


@dataclass
class Case:
    """An environment, with the rates of each vector environment.

    Attributes:
        env_id: id in Gymnasium's registry.
        rates: environment steps per second, by vector environment.
    """

    env_id: str
    rates: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in (HERE, SHARED, SUBPROC, ASYNC)})

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        here, shared = self.rates[HERE], self.rates[SHARED]
        gains = [a / b for a, b in zip(shared, here, strict=True)]
        others = (f"{times(self.rates[way], here):.2f}" for way in (SUBPROC, ASYNC))
        return (
            self.env_id,
            f"{1e6 / statistics.median(here):,.0f} µs",
            f"{statistics.median(here):,.0f}",
            f"{times(shared, here):.2f}",
            spread(gains),
            *others,
        )


def measure_environments(
    players: int = 8, *, seconds: float = 1.0, repetitions: int = 5, progress: Callable[[str], object] = str
) -> Figures:
    """Measure environments of different cost in this process and in worker processes.

    Args:
        players: number of environments.
        seconds: of each measurement, at least.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.
    """
    processes = max(2, os.cpu_count() or 1)
    cases = [Case(env_id) for env_id in CASES]
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # environments are reset before their episode ends
        # All environments are made first; those of other cases wait.
        sides: list[tuple[str, tuple[Case, str, Callable[[], object]]]] = []
        for case in cases:
            for way in case.rates:
                name = f"{case.env_id}, {way}"
                progress(name)
                sides.append((name, (case, way, _make_step(stack, case.env_id, way, players, processes))))
        for case, way, step in interleave(sides, repetitions, progress):
            steps = 0
            began = time.perf_counter()
            while (taken := time.perf_counter() - began) < seconds:
                step()
                steps += players
            case.rates[way].append(steps / taken)
    return Figures(
        f"{players} environments of Gymnasium, {processes} processes",
        ("environment", "one step", "steps/s here", "gain of processes", "spread", SUBPROC, ASYNC),
        [case.row() for case in cases],
        NOTE,
        {"processes": processes, "cases": [asdict(case) for case in cases]},
    )


def _make_step(stack: ExitStack, env_id: str, way: str, count: int, processes: int) -> Callable[[], object]:
    """Return a function that steps new environments; they wait between calls."""
    import numpy as np

    if way == ASYNC:
        return _make_async_step(stack, env_id, count)
    venv = _vec_env(env_id, way, count, processes)
    stack.callback(venv.close)
    venv.reset()
    venv.action_space.seed(0)
    actions = np.stack([venv.action_space.sample() for _ in range(count)])
    return partial(venv.step, actions)


def _vec_env(env_id: str, way: str, count: int, processes: int) -> Any:
    import gymnasium
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import SubprocVecEnv

    from rl_pipeline.envs.gymnasium_envs.gymnasium_vec_env import GymnasiumVecEnv
    from rl_pipeline.envs.gymnasium_envs.process_vec_env import ProcessVecEnv
    from rl_pipeline.errors import InputError

    # Each with its class and arguments; `make_vec_env` adds the monitor that trainings have.
    kinds: dict[str, tuple[type[Any], dict[str, Any]]] = {
        HERE: (GymnasiumVecEnv, {"make_error": InputError}),
        SHARED: (ProcessVecEnv, {"make_error": InputError, "processes": processes}),
        SUBPROC: (SubprocVecEnv, {}),
    }
    kind, arguments = kinds[way]
    make_one = partial(gymnasium.make, env_id)
    return make_vec_env(make_one, n_envs=count, seed=0, vec_env_cls=kind, vec_env_kwargs=arguments)


def _make_async_step(stack: ExitStack, env_id: str, count: int) -> Callable[[], object]:
    import gymnasium
    from gymnasium.vector import AsyncVectorEnv, AutoresetMode

    make_one = partial(gymnasium.make, env_id)
    envs = AsyncVectorEnv([make_one] * count, context="forkserver", autoreset_mode=AutoresetMode.SAME_STEP)
    stack.callback(envs.close)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    return partial(envs.step, envs.action_space.sample())
