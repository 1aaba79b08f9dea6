"""The trials of a sweep on Ray Tune, on this machine or on a cluster."""

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
from rl_pipeline.sweeps.folder import Resources, SweepFolder, SweepSettings
from rl_pipeline.sweeps.study import SweepStudy
from rl_pipeline.sweeps.trial import TrialRun

logger = logging.getLogger(__name__)

SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody is told what is run here
    "RAY_AIR_NEW_OUTPUT": "0",  # no tables of its own
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray is going to do, and warns about
    "RAY_worker_niceness": "0",  # a trial is worth as much as any other training
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # each trial has its experiment folder
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # signals are ours
}
"""What Ray reads from the environment."""
LOOPBACK: Final = "127.0.0.1"
OBJECT_STORE: Final = 100 * 2**20
"""Bytes of Ray's shared memory: trials exchange nothing but figures."""
CORES_PER_JOB: Final = 2
"""Cores of this machine for each trial at a time: one for what learns, one for its simulators."""
LOST_WORKERS: Final = 2
"""How often a trial is begun again, from its last checkpoint, when the machine or process that ran it is lost."""


def run_trials(
    study: SweepStudy, folder: SweepFolder, settings: SweepSettings, resources: Resources, ended: Callable[[], None]
) -> bool:
    """Run all trials that are not finished. Ctrl-C, SIGTERM and SIGHUP end those under way with everything saved.

    Args:
        study: what to run, and what takes the results.
        folder: the sweep's.
        settings: how it is searched.
        resources: where trials run.
        ended: called when a trial has.

    Returns:
        whether it was not interrupted.
    """
    jobs = resources.jobs
    if resources.address is None:
        jobs = jobs or max(1, (os.cpu_count() or 1) // CORES_PER_JOB)
    left = settings.trials - study.ended
    logger.info("%s: %d %s to run; starting Ray", folder.path, left, plural(left, "trial"))
    # In this order: Ray takes SIGTERM for itself when it starts.
    with _ray(resources.address, (jobs or 1) * resources.cpus) as directory, Interruption() as interruption:
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
            search_alg=_Search(study, ended),
            scheduler=_Pruning(study),
            stop=_Interrupted(interruption),
            reuse_actors=True,
            max_failures=LOST_WORKERS,
            raise_on_failed_trial=False,
            storage_path=directory,
            verbose=0,
        )
        return not interruption.requested


class _Trial(tune.Trainable):
    """A trial in a process of Ray's."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin the training."""
        logging.getLogger("rl_pipeline").setLevel(logging.INFO)
        os.chdir(config["directory"])
        folder, sample = SweepFolder(Path(config["folder"])), json.loads(config["sample"])
        self._run = TrialRun(folder, config["number"], sample, config["objective"], config["command"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial, without the seconds that a process takes for its imports."""
        self._run.stop()
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """The next evaluation, or the end."""
        return {"value": float("nan"), **self._run.next()}

    def cleanup(self) -> None:
        """End the training, with everything saved."""
        self._run.stop()


class _Search(Searcher):
    """Asks the study what to try, and tells it how trials ended."""

    def __init__(self, study: SweepStudy, ended: Callable[[], None]) -> None:
        super().__init__(metric="value", mode="max")
        self._study, self._ended = study, ended
        self._numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """Number and sample of the next trial."""
        self._numbers[trial_id], sample = self._study.ask()
        return {"number": self._numbers[trial_id], "sample": json.dumps(sample)}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the study, unless the last that was heard is an evaluation: then the trial was ended early."""
        number = self._numbers[trial_id]
        if error:
            self._study.fail(number, "its process was lost")
        elif result is not None and "error" in result:
            self._study.fail(number, result["error"])
        elif result is not None and "evaluation" not in result:
            self._study.finish(number, result["value"])
        self._ended()

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study is in a file."""


class _Pruning(FIFOScheduler):
    """Ends trials that the study gives up."""

    def __init__(self, study: SweepStudy) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._study = study

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether the trial goes on."""
        if self._study.report(trial.config["number"], result["evaluation"], result["value"]):
            return self.STOP
        return self.CONTINUE


class _Interrupted(Stopper):
    """Ends all trials when a signal has come."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No trial is ended for its own result."""
        return False

    def stop_all(self) -> bool:
        """Whether a signal has come."""
        return self._interruption.requested


@contextmanager
def _ray(address: str | None, cpus: int) -> Iterator[str]:
    """Ray, with a folder for its files, both gone when the block ends; of a cluster, the connection to it."""
    os.environ.update(SETTINGS)
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    with tempfile.TemporaryDirectory(prefix="ray_", ignore_cleanup_errors=True) as directory, ExitStack() as opened:
        if address is not None:
            opened.callback(ray.shutdown)
            try:
                ray.init(address=address, **quiet)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise InputError(f"--address: no Ray cluster answers at {address!r}: {error}") from error
        else:
            with opened.enter_context(_reaped_group()):
                opened.callback(ray.shutdown)
                ray.init(
                    address="local", num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECT_STORE,
                    _node_ip_address=LOOPBACK, _temp_dir=directory, **quiet,
                )  # fmt: skip
        yield directory


@contextmanager
def _reaped_group() -> Iterator[AbstractContextManager[None]]:
    """A process group that does not outlive this process, however it ends; what starts in the inner block is in it.

    Some of Ray's processes live on for a minute when the one that started them is killed.
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
    """Be the leader of that process group for the moment, unless this process is one for good."""
    former = os.getpgrp()
    if former == group:
        yield
        return
    os.setpgid(0, group)
    try:
        yield
    finally:
        # Of the shell that began this process nothing may be left, and its group is gone: then this is one for good.
        with suppress(PermissionError):
            os.setpgid(0, former)
