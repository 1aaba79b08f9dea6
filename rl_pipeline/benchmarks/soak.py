"""Training among faults, beside the same training undisturbed: what is lost, what is left behind, what is learned."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import socket
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

from rl_pipeline.benchmarks.figures import Figures
from rl_pipeline.config import Config, load_config, render_config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.envs.opponents import Opponents
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.run_logger import RunLoggers
from rl_pipeline.run.training_run import TrainingRun
from rl_pipeline.simulation.simulation import Simulation

KINDS: Final = {"one killed": 5, "one stopped": 2, "one connection cut": 2, "all killed": 1}
"""Faults and how often each happens, relative to the others."""


class FaultInjector:
    """Harms players of a simulation at random moments, from a thread of its own, while the block runs.

    Args:
        simulation: where the players are.
        period: mean seconds between two faults.
        seed: of the choice of faults and moments.

    Attributes:
        injected: how often each kind of fault has happened.
    """

    def __init__(self, simulation: Simulation, period: float, seed: int = 0) -> None:
        self.injected = dict.fromkeys(KINDS, 0)
        self._simulation = simulation
        self._period = period
        self._random = random.Random(seed)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)

    def __enter__(self) -> FaultInjector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(timeout=10.0)

    def _run(self) -> None:
        kinds, weights = list(KINDS), list(KINDS.values())
        while not self._ending.wait(self._random.expovariate(1.0 / self._period)):
            (kind,) = self._random.choices(kinds, weights)
            players = sorted(self._simulation.processes)
            victims = players if kind == "all killed" else [self._random.choice(players)] if players else []
            harmed = sum(self._harm(kind, victim) for victim in victims)
            self.injected[kind] += harmed > 0

    def _harm(self, kind: str, player: int) -> bool:
        """Do it to one player; False when it is just being replaced.

        A player is not stopped while it starts: that is noticed by `unity.connect_timeout` only, a minute.
        """
        if kind == "one connection cut":
            return self._cut(player)
        process = self._simulation.processes.get(player)
        if process is None or process.exit_status() is not None:
            return False
        if (
            kind == "one stopped"
            and self._simulation.service_name(player, "step") not in self._simulation.endpoint.services
        ):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP if kind == "one stopped" else signal.SIGKILL)
        return True

    def _cut(self, player: int) -> bool:
        """End a player's connection as a network would, behind the back of both sides."""
        endpoint = self._simulation.endpoint
        with endpoint.lock:
            connection = endpoint.services.get(self._simulation.service_name(player, "step"))
            if connection is None:
                return False
            with socket.socket(fileno=os.dup(connection.fileno())) as same, contextlib.suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)
        return True


PERIOD: Final = 3.0
"""Mean seconds between two faults."""
EPISODES: Final = 50
PATIENCE: Final = 4.0
"""How many times as long the disturbed run may take."""
SETTINGS: Final = (
    *("ros.tcp_port=0", "unity.step_timeout=2", "unity.max_lifetime_restarts=-1", "unity.restarts_rate_limit_n=-1"),
    *("environment.video_wrapper=false", "environment.render_mode=null", "training.eval.num_evals=0"),
    *("training.log_points=0", "training.verbose=0", "training.device=cpu", "training.use_wandb=false"),
    *("unity.connect_timeout=20", "training.total_timesteps=1000000000"),
)


@dataclass
class Outcome:
    """One training.

    Attributes:
        timesteps: environment steps, summed over the environments.
        seconds: wall time of the training, without the evaluation.
        faults: how often each kind was injected.
        episodes_lost: episodes that ended because their player was lost.
        longest_recovery: seconds of the longest step that noticed a loss and replaced the player.
        success_rate: of the trained agent afterwards, 0 to 1; None when it is not known.
        leaked: processes, descriptors and threads more than before.
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
        minutes: length of the undisturbed training; the other takes longer, by what its faults cost.
        players: embedded players.
        period: mean seconds between two faults.
        episodes: episodes that each agent is judged by; None: 50, or fewer after less than a minute.
        progress: called with what is going on.
    """
    with tempfile.TemporaryDirectory(prefix="rl_pipeline_soak_") as directory:
        episodes = episodes or int(np.clip(EPISODES * minutes, 4, EPISODES))
        sizes = [f"n_environments={players}", f"evaluation.num_episodes={episodes}"]
        overrides = [*SETTINGS, *sizes, f"experiment.directory={directory}"]
        config = load_config("navigation_ppo", overrides=overrides)
        seconds = 60.0 * minutes
        progress(f"training undisturbed for {minutes:g} min")
        calm = _train(config, "undisturbed", seconds)
        progress(f"training among faults for {calm.timesteps:,} steps")
        disturbed = _train(config, "disturbed", PATIENCE * seconds, calm.timesteps, period)
    return _figures(disturbed, calm)


class _Enough(Exception):  # noqa: N818 - nothing is wrong
    """The training has gone on for as long as it should."""


def _train(
    config: Config, name: str, seconds: float, timesteps: float = math.inf, period: float | None = None
) -> Outcome:
    """Train until the time or the steps are over, with a `period` among faults."""
    outcome = Outcome()
    folder = ExperimentFolder.create(config.experiment.directory, config.environment.id, "soak", name)
    before = _resources(folder.path)
    with ExitStack() as stack:
        environments = stack.enter_context(_WatchedEnvironments(config, folder.path, outcome))
        run = TrainingRun(config, render_config(config), folder, environments, RunLoggers(), None)
        began = time.monotonic()

        def check() -> None:
            outcome.timesteps, outcome.seconds = run.model.num_timesteps, time.monotonic() - began
            if outcome.seconds > seconds or outcome.timesteps >= timesteps:
                raise _Enough

        try:
            if period is None:
                run.learn(check)
            else:
                with FaultInjector(environments.simulation, period) as faults:
                    outcome.faults = faults.injected
                    run.learn(check)
        except _Enough:
            pass
        run.save()
        summary = run.evaluate_best(lambda: None)
        outcome.success_rate = summary.success_rate if summary is not None else None
    outcome.leaked = {what: count - before[what] for what, count in _resources(folder.path).items()}
    return outcome


class _WatchedEnvironments(Environments):
    """The environments of a run, whose training is watched."""

    def __init__(self, config: Config, folder: Path, outcome: Outcome) -> None:
        super().__init__(config, folder)
        self._outcome = outcome

    def training(self, opponents: Opponents | None = None) -> VecEnv:
        return _Watch(super().training(opponents), self._outcome)


class _Watch(VecEnvWrapper):
    """Counts the episodes that are lost, and times the steps that lose any."""

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
    """What this process holds, and the processes that work for an experiment folder (they stand in it)."""
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
    ours, theirs = _cells(disturbed), _cells(calm)
    return Figures(
        title="Training among faults, and undisturbed",
        columns=("", "among faults", "undisturbed"),
        rows=[(name, text, theirs[name]) for name, text in ours.items()],
        note="Recovery: the whole step that noticed a loss, deadline included, and replaced the player. The "
        "undisturbed run comes first: its descriptors may grow by what libraries keep for the life of a process.",
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
        **{f"leaked {what}": str(count) for what, count in outcome.leaked.items()},
        "success rate afterwards": success,
    }
