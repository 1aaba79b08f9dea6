"""Execution of a sweep's trials by Ray Tune, on this machine or on a cluster."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher
from ray.tune.stopper import Stopper

from rl_pipeline.errors import InputError
from rl_pipeline.plurals import plural
from rl_pipeline.run.interruption import Interruption
from rl_pipeline.simulation.reaper import Reaper
from rl_pipeline.sweeps.folder import SweepFolder, SweepSettings
from rl_pipeline.sweeps.study import SweepStudy
from rl_pipeline.sweeps.trial import TrialResources, TrialRun

logger = logging.getLogger(__name__)

RAY_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # send no usage statistics
    "RAY_AIR_NEW_OUTPUT": "0",  # print no tables
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the coming default, of which Ray warns otherwise
    "RAY_worker_niceness": "0",  # the priority of any other training
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # each trial logs to its experiment folder
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # `Interruption` handles signals
}
"""Environment variables that Ray reads."""
LOOPBACK: Final = "127.0.0.1"
OBJECT_STORE_SIZE: Final = 100 * 2**20
"""Bytes of Ray's shared memory: trials exchange figures only."""
CORES_PER_JOB: Final = 2
"""Cores of this machine for each trial at a time: one for the learner, one for its simulators."""
MAX_RESTARTS: Final = 2
"""Restarts of a trial, from its last checkpoint, after the machine or process that ran it was lost."""


def run_trials(
    study: SweepStudy,
    folder: SweepFolder,
    settings: SweepSettings,
    resources: TrialResources,
    on_trial_end: Callable[[], None],
) -> bool:
    """Run all trials that have not ended. Ctrl-C, SIGTERM and SIGHUP end those under way with everything saved.

    Args:
        study: hands out the trials and records their results.
        folder: of the sweep.
        settings: of the search.
        resources: of each trial.
        on_trial_end: called after each trial.

    Returns:
        True if all trials ended, False after an interruption.
    """
    # Trials at a time: on a cluster, Ray decides by its resources.
    jobs = resources.jobs
    if resources.address is None:
        jobs = jobs or max(1, (os.cpu_count() or 1) // CORES_PER_JOB)
    left = settings.trials - study.ended
    logger.info("%s: %d %s to run; starting Ray", folder.path, left, plural(left, "trial"))
    # In this order: Ray installs its own handler of SIGTERM when it starts.
    with _start_ray(resources.address, (jobs or 1) * resources.cpus) as directory, Interruption() as interruption:
        tune.run(
            _Trial,
            name=folder.path.name,
            metric="value",
            mode="max",
            config={
                "folder": str(folder.path.absolute()),
                "directory": str(Path.cwd()),
                "objective": settings.objective,
                "command": sys.argv,
            },
            resources_per_trial={"cpu": resources.cpus, "gpu": resources.gpus},
            num_samples=left,
            max_concurrent_trials=jobs,
            search_alg=_Search(study, on_trial_end),
            scheduler=_Pruning(study),
            stop=_Interrupted(interruption),
            reuse_actors=True,
            max_failures=MAX_RESTARTS,
            raise_on_failed_trial=False,
            storage_path=directory,
            verbose=0,
        )
        return not interruption.requested


class _Trial(tune.Trainable):
    """A trial in a worker process of Ray; each `step` is an evaluation."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin the training; called by Ray in the worker."""
        logging.getLogger("rl_pipeline").setLevel(logging.INFO)
        os.chdir(config["directory"])
        folder, sample = SweepFolder(Path(config["folder"])), json.loads(config["sample"])
        self._run = TrialRun(folder, config["number"], sample, config["objective"], config["command"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same process, which saves the seconds of its imports."""
        self._run.stop()
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Return the next evaluation, or the result at the end."""
        # Tune requires its metric in every result; a failed trial has none.
        return {"value": float("nan"), **self._run.next()}

    def cleanup(self) -> None:
        """End the training with everything saved."""
        self._run.stop()


class _Search(Searcher):
    """Search algorithm of Tune that samples from the study and records the ends of trials in it."""

    def __init__(self, study: SweepStudy, on_trial_end: Callable[[], None]) -> None:
        super().__init__(metric="value", mode="max")
        self._study = study
        self._on_trial_end = on_trial_end
        self._numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """Return number and sample of the next trial."""
        number, sample = self._study.ask()
        self._numbers[trial_id] = number
        return {"number": number, "sample": json.dumps(sample)}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Record the end of a trial in the study."""
        # A trial whose last result is an evaluation was pruned, which is recorded already.
        number = self._numbers[trial_id]
        if error:
            self._study.fail(number, "its process was lost")
        elif result is not None and "error" in result:
            self._study.fail(number, result["error"])
        elif result is not None and "evaluation" not in result:
            self._study.finish(number, result["value"])
        self._on_trial_end()

    def save(self, checkpoint_path: str) -> None:
        """No-op: the study is in a file."""


class _Pruning(FIFOScheduler):
    """Scheduler of Tune that ends the trials that the study prunes."""

    def __init__(self, study: SweepStudy) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._study = study

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Record an evaluation; returns whether the trial continues or stops."""
        if self._study.report(trial.config["number"], result["evaluation"], result["value"]):
            return self.STOP
        return self.CONTINUE


class _Interrupted(Stopper):
    """Stopper of Tune that ends all trials after a signal."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Return False: no trial ends for its own result."""
        return False

    def stop_all(self) -> bool:
        """Return whether a signal was received."""
        return self._interruption.requested


@contextmanager
def _start_ray(address: str | None, cpus: int) -> Iterator[str]:
    """Start Ray, or connect to a cluster; yields a folder for its files. Both are gone when the block ends."""
    os.environ.update(RAY_ENVIRONMENT)
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    with tempfile.TemporaryDirectory(prefix="ray_", ignore_cleanup_errors=True) as directory, ExitStack() as opened:
        # A cluster that runs already.
        if address is not None:
            opened.callback(ray.shutdown)
            try:
                ray.init(address=address, **quiet)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise InputError(f"--address: no Ray cluster answers at {address!r}: {error}") from error
        # Ray on this machine alone, in a process group that ends with this process.
        else:
            with opened.enter_context(_reaped_group()):
                opened.callback(ray.shutdown)
                ray.init(
                    address="local",
                    num_cpus=cpus,
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_SIZE,
                    _node_ip_address=LOOPBACK,
                    _temp_dir=directory,
                    **quiet,
                )
        yield directory


@contextmanager
def _reaped_group() -> Iterator[AbstractContextManager[None]]:
    """Yield a context in which processes start in a group that does not outlive this process, however it ends.

    Some of Ray's processes would go on for a minute after the one that started them is killed.
    """
    reaper, group = Reaper(), os.getpid()
    try:
        reaper.watch(group)
        yield _in_group(group)
    finally:
        reaper.release(group)
        reaper.close()


@contextmanager
def _in_group(group: int) -> Iterator[None]:
    """Make this process the leader of its own process group within the block, unless it is one already."""
    former = os.getpgrp()
    if former == group:
        yield
        return
    os.setpgid(0, group)
    try:
        yield
    finally:
        # The group is gone if the shell that started this process has exited: then this process stays a leader.
        with suppress(PermissionError):
            os.setpgid(0, former)
