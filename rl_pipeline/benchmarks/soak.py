"""Endurance test: a training among faults compared with the same training undisturbed, the soak benchmark.

Compared are lost episodes, processes and descriptors left behind, and the success of the trained agents.
"""

from __future__ import annotations

import math
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rl_pipeline.benchmarks.fault_injection import KINDS, FaultInjector
from rl_pipeline.benchmarks.figures import Figures
from rl_pipeline.config import Config, load_config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.envs.opponents import Opponents
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.context import RunContext
from rl_pipeline.run.plan import TrainingPlan
from rl_pipeline.run.training_run import TrainingRun

PERIOD: Final = 3.0
"""Mean seconds between two faults."""
MAX_EPISODES: Final = 50
"""Episodes on which each agent is evaluated; fewer after less than a minute of training."""
PATIENCE: Final = 4.0
"""Limit of the disturbed training's time, as a multiple of the undisturbed one's."""
SETTINGS: Final = (
    *("ros.tcp_port=0", "unity.step_timeout=2", "unity.max_lifetime_restarts=-1", "unity.restarts_rate_limit_n=-1"),
    *("environment.video_wrapper=false", "environment.render_mode=null", "training.eval.num_evals=0"),
    *("training.log_points=0", "training.verbose=0", "training.device=cpu", "training.use_wandb=false"),
    *("unity.connect_timeout=20", "training.total_timesteps=1000000000"),
)


@dataclass
class Outcome:
    """Figures of one training.

    Attributes:
        timesteps: environment steps, summed over the environments.
        seconds: wall time of the training, without the evaluation.
        faults: number of faults injected, by kind.
        episodes_lost: episodes that ended because their player was lost.
        longest_recovery: seconds of the longest step in which a loss was noticed and the player replaced.
        success_rate: of the trained agent afterwards, 0 to 1; None if unknown.
        leaked: processes, descriptors and threads in excess of those before.
    """

    timesteps: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    episodes_lost: int = 0
    longest_recovery: float = 0.0
    success_rate: float | None = None
    leaked: dict[str, int] = field(default_factory=dict)


def measure_soak(
    *,
    minutes: float = 1.0,
    players: int = 8,
    period: float = PERIOD,
    episodes: int | None = None,
    progress: Callable[[str], object] = str,
) -> Figures:
    """Train for some minutes undisturbed, then for as many steps among faults, and compare.

    Args:
        minutes: length of the undisturbed training; the other takes longer, by the cost of its faults.
        players: embedded players.
        period: mean seconds between two faults.
        episodes: episodes on which each agent is evaluated; None: 50, or fewer after less than a minute.
        progress: called with the current phase.
    """
    with tempfile.TemporaryDirectory(prefix="rl_pipeline_soak_") as directory:
        # Both trainings share the configuration.
        episodes = episodes or int(np.clip(MAX_EPISODES * minutes, 4, MAX_EPISODES))
        sizes = [f"n_environments={players}", f"evaluation.num_episodes={episodes}"]
        overrides = [*SETTINGS, *sizes, f"experiment.directory={directory}"]
        config = load_config("navigation_ppo", overrides=overrides)
        seconds = 60.0 * minutes
        # The undisturbed one sets the number of steps of the other.
        progress(f"training undisturbed for {minutes:g} min")
        calm = _train(config, "undisturbed", seconds)
        progress(f"training among faults for {calm.timesteps:,} steps")
        disturbed = _train(config, "disturbed", PATIENCE * seconds, calm.timesteps, period)
    return _figures(disturbed, calm)


class _TrainingComplete(Exception):  # noqa: N818 - no error
    """Ends the training after its time or steps."""


def _train(
    config: Config, name: str, seconds: float, timesteps: float = math.inf, period: float | None = None
) -> Outcome:
    """Train until the time or the steps are over; among faults if `period` is given."""
    outcome = Outcome()
    folder = ExperimentFolder.create(config.experiment.directory, config.environment.id, "soak", name)
    before = _resources(folder.path)
    with ExitStack() as stack:
        environments = stack.enter_context(_ObservedEnvironments(config, folder.path, outcome))
        ended = False

        # Called before each step.
        def check() -> None:
            # The evaluation at the end is not limited.
            if ended:
                return
            outcome.timesteps, outcome.seconds = run.model.num_timesteps, time.monotonic() - began
            if outcome.seconds > seconds or outcome.timesteps >= timesteps:
                raise _TrainingComplete

        plan = TrainingPlan.of(config)
        run = TrainingRun(RunContext(plan, folder, environments, check=check))
        began = time.monotonic()
        try:
            if period is None:
                run.learn()
            else:
                with FaultInjector(environments.simulation, period) as faults:
                    outcome.faults = faults.injected
                    run.learn()
        except _TrainingComplete:
            pass
        # Save and evaluate as any training does.
        ended = True
        run.save()
        summary = run.evaluate_best()
        outcome.success_rate = summary.success_rate if summary is not None else None
    # All players have ended with the environments.
    outcome.leaked = {kind: count - before[kind] for kind, count in _resources(folder.path).items()}
    return outcome


class _ObservedEnvironments(Environments):
    """Environments of a run, with an observer around those of the training."""

    def __init__(self, config: Config, folder: Path, outcome: Outcome) -> None:
        super().__init__(config, folder)
        self._outcome = outcome

    def training(self, opponents: Opponents | None = None) -> VecEnv:
        return _LossObserver(super().training(opponents), self._outcome)


class _LossObserver(VecEnvWrapper):
    """Wrapper that counts lost episodes and times the steps that lose any."""

    def __init__(self, venv: VecEnv, outcome: Outcome) -> None:
        super().__init__(venv)
        self._outcome = outcome

    def reset(self) -> VecEnvObs:
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        began = time.monotonic()
        step = self.venv.step_wait()
        if lost := sum(info.get("player_lost", False) for info in step[3]):
            self._outcome.episodes_lost += int(lost)
            self._outcome.longest_recovery = max(self._outcome.longest_recovery, time.monotonic() - began)
        return step


def _resources(folder: Path) -> dict[str, int]:
    """Count descriptors and threads of this process, and processes whose working directory is in a folder."""
    processes = 0
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            processes += path.readlink().is_relative_to(folder.resolve())
        except OSError:
            continue
    return {
        "processes": processes,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


def _figures(disturbed: Outcome, calm: Outcome) -> Figures:
    """Return the table of both trainings."""
    ours, theirs = _cells(disturbed), _cells(calm)
    return Figures(
        title="Training among faults, and undisturbed",
        columns=("", "among faults", "undisturbed"),
        rows=[(name, text, theirs[name]) for name, text in ours.items()],
        note="Recovery: the whole step that noticed a loss, deadline included, and replaced the player. The "
        "undisturbed run comes first: its descriptors may grow by those that libraries keep open.",
        values={"among_faults": asdict(disturbed), "undisturbed": asdict(calm)},
    )


def _cells(outcome: Outcome) -> dict[str, str]:
    success = "unknown" if outcome.success_rate is None else f"{outcome.success_rate:.0%}"
    return {
        "environment steps": f"{outcome.timesteps:,}",
        "seconds": f"{outcome.seconds:.0f}",
        **{f"fault: {kind}": str(outcome.faults.get(kind, 0)) for kind in KINDS},
        "episodes lost": str(outcome.episodes_lost),
        "longest recovery (s)": f"{outcome.longest_recovery:.1f}",
        **{f"leaked {kind}": str(count) for kind, count in outcome.leaked.items()},
        "success rate afterwards": success,
    }
