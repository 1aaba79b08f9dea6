"""Base class of the loggers of a run, and the set of those that a run has."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rl_pipeline.config.schema import Config
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.tracebacks import describe_failure

logger = logging.getLogger(__name__)

LoggerState = dict[str, Any]
"""Values that JSON can hold, such as the id of a run at its tracker."""


class RunLogger(ABC):
    """Logger of one run: a tracker such as W&B or MLflow, or a file of your own.

    Only `log_scalars` is mandatory. The constructor takes the settings of the YAML as keyword arguments and checks
    them; it is called before the run has a folder and raises `InputError` for a bad setting. Calls come in this order:
    `load_state_dict` if the run is resumed, `start`, any number of `log_...`, `finish`.

    A method that raises costs a warning: the logger is dropped, and training goes on without it.

    Attributes:
        title: name in messages; empty: the name under which the logger is registered.
    """

    title: ClassVar[str] = ""

    @abstractmethod
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Log scalars by name, such as `rollout/ep_rew_mean`, at `step` environment steps over all environments."""

    def start(self, folder: ExperimentFolder, config: Config) -> None:  # noqa: B027 - optional
        """Open files or connect, and log the configuration, before the environments are made."""

    def log_file(self, path: Path) -> None:  # noqa: B027 - optional
        """Keep a file of the experiment folder, such as a model or a picture of the curves."""

    def log_state(self, path: Path) -> None:  # noqa: B027 - optional
        """Keep the newest file of `states/`, from which the run can be resumed, in place of the one before."""

    def log_video(self, path: Path, step: int) -> None:
        """Show a video recorded at `step`; by default it is kept like any other file."""
        self.log_file(path)

    def log_summary(self, figures: Mapping[str, Any]) -> None:  # noqa: B027 - optional
        """Log the figures of the evaluation at the end, such as `evaluation/mean_return`."""

    def finish(self, exit_code: int) -> None:  # noqa: B027 - optional
        """Close everything: 0 after a complete run, 130 after an interruption, 1 after an error."""

    def state_dict(self) -> LoggerState:
        """Return JSON values that a resumed run needs, such as the tracker's run id; read after `start`."""
        return {}

    def load_state_dict(self, state: LoggerState) -> None:  # noqa: B027 - optional
        """Take over the state of a former session, before `start`."""


class RunLoggers:
    """All loggers of a run. One that fails is dropped with a warning; none can end a training.

    Args:
        loggers: by the name under which each is registered.
    """

    def __init__(self, loggers: Mapping[str, RunLogger] | None = None) -> None:
        self._loggers = dict(loggers or {})

    @property
    def names(self) -> list[str]:
        """Names of the loggers that still log."""
        return list(self._loggers)

    def start(self, folder: ExperimentFolder, config: Config, states: Mapping[str, LoggerState] | None = None) -> None:
        """Start every logger, with the state that a former session left under its name."""
        for name, each in list(self._loggers.items()):
            if states is not None and name in states:
                self._attempt(name, "resume", partial(each.load_state_dict, states[name]))
        self._call("start", lambda each: each.start(folder, config))

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Log scalars at `step` environment steps."""
        self._call("log scalars", lambda each: each.log_scalars(scalars, step))

    def log_file(self, path: Path) -> None:
        """Keep a file of the experiment folder, if it exists."""
        if path.exists():
            self._call(f"save {path.name}", lambda each: each.log_file(path))

    def log_state(self, path: Path) -> None:
        """Keep the newest state of the run."""
        self._call(f"save {path.name}", lambda each: each.log_state(path))

    def log_video(self, path: Path, step: int) -> None:
        """Show a video recorded at `step` environment steps."""
        self._call(f"log {path.name}", lambda each: each.log_video(path, step))

    def log_summary(self, figures: Mapping[str, Any]) -> None:
        """Log the figures of the evaluation at the end."""
        self._call("log the summary", lambda each: each.log_summary(figures))

    def finish(self, exit_code: int = 0) -> None:
        """Finish every logger; safe to call twice."""
        self._call("finish", lambda each: each.finish(exit_code))
        self._loggers.clear()

    def state_dict(self) -> dict[str, LoggerState]:
        """Return the states of the loggers that have one."""
        states: dict[str, LoggerState] = {}

        def read(name: str, each: RunLogger) -> None:
            states[name] = each.state_dict()

        for name, each in list(self._loggers.items()):
            self._attempt(name, "give its state", partial(read, name, each))
        return {name: state for name, state in states.items() if state}

    def _call(self, action: str, call: Callable[[RunLogger], object]) -> None:
        """Call the loggers one by one, and drop those that raise."""
        for name, each in list(self._loggers.items()):
            self._attempt(name, action, partial(call, each))

    def _attempt(self, name: str, action: str, call: Callable[[], object]) -> None:
        if name not in self._loggers:
            return
        try:
            call()
        except Exception as error:  # any error of a service on the network, or of the user's code
            self._drop(name, action, error)

    def _drop(self, name: str, action: str, error: Exception) -> None:
        failed = self._loggers.pop(name)
        reason = describe_failure(error).splitlines()[0]
        logger.warning("%s could not %s: %s; training goes on without it", failed.title or name, action, reason)
        # The tracker should not show the run as running for ever. It may be out of reach, which was said already.
        try:
            failed.finish(1)
        except Exception:
            logger.debug("%s could not finish either", failed.title or name, exc_info=True)
