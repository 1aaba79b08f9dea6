"""MLflow as a logger: a server, or an SQLite file that needs none."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder, environment_folder
from rl_pipeline.experiment.loggers.run_logger import LoggerState, RunLogger

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

DATABASE: Final = "mlflow.db"
ARTIFACTS: Final = "mlflow_artifacts"
MAX_BATCH: Final = 100
"""Parameters that MLflow takes in one request."""
MAX_PARAMETER: Final = 6000
"""Characters of a parameter's value that MLflow keeps."""


class MlflowLogger(RunLogger):
    """Run on MLflow: scalars as metrics, the configuration as parameters, files as artifacts.

    Args:
        tracking_uri: server or database; None: `MLFLOW_TRACKING_URI`, else `mlflow.db` in the folder of experiments.
            It is kept in the experiment's `config.yaml`: credentials belong in MLflow's environment variables.
        experiment: MLflow experiment that groups the runs; None: the environment's name.
        run_name: name of the run; None: that of the experiment folder.
        tags: labels by name.
        files: also keep models, curves and videos as artifacts.

    Raises:
        InputError: MLflow is not installed, or a setting has no valid value.
    """

    title = "MLflow"

    def __init__(
        self,
        tracking_uri: str | None = None,
        experiment: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        files: bool = True,
    ) -> None:
        if importlib.util.find_spec("mlflow") is None:
            raise InputError(
                "loggers.mlflow: MLflow is not installed; install it with: pip install 'rl-pipeline[mlflow]'"
            )
        # Wrong types are errors here, since MLflow would find them after the players were started.
        for name, value in {"tracking_uri": tracking_uri, "experiment": experiment, "run_name": run_name}.items():
            if value is not None and not (isinstance(value, str) and value):
                raise InputError(f"loggers.mlflow.{name}: expected a string that is not empty or null, found {value!r}")
        if tags is not None and not isinstance(tags, Mapping):
            raise InputError(f"loggers.mlflow.tags: expected a mapping of names to values, found {tags!r}")
        if not isinstance(files, bool):
            raise InputError(f"loggers.mlflow.files: expected true or false, found {files!r}")
        self._tracking_uri = tracking_uri
        self._experiment = experiment
        self._run_name = run_name
        self._tags = {str(name): str(value) for name, value in (tags or {}).items()}
        self._keeps_files = files
        self._folder: Path | None = None
        self._run_id: str | None = None
        self._client: MlflowClient | None = None

    def start(self, folder: ExperimentFolder, config: Config) -> None:
        """Create the run, or go on with the one whose id is known, and log the configuration as parameters."""
        # Usage statistics are for the user to switch on, not for a library that MLflow is used by.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        # One database for all experiments of a folder, so that MLflow's pages compare them.
        directory = config.experiment.directory.resolve()
        uri = self._tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{directory / DATABASE}"
        self._folder = folder.path
        self._client = client = MlflowClient(tracking_uri=uri)
        # A resumed run keeps its id and its parameters, which MLflow does not let change.
        if self._run_id is not None:
            client.update_run(self._run_id, status="RUNNING")
            return
        name = self._experiment or environment_folder(config.environment.id)
        local = (directory / ARTIFACTS).as_uri() if uri.startswith("sqlite:") else None
        run = client.create_run(
            _experiment_id(client, name, local), run_name=self._run_name or folder.path.name, tags=self._tags
        )
        self._run_id = run.info.run_id
        parameters = [Param(key, value[:MAX_PARAMETER]) for key, value in _flat(config.model_dump(mode="json"))]
        for first in range(0, len(parameters), MAX_BATCH):
            client.log_batch(self._run_id, params=parameters[first : first + MAX_BATCH])
        logger.info("MLflow: run %s of experiment %s at %s", self._run_id, name, uri)

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Log finite scalars as metrics; MLflow's databases take no infinity as such."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, value, now, step) for name, value in scalars.items() if math.isfinite(value)]
        client, run_id = self._running()
        client.log_batch(run_id, metrics=metrics)

    def log_file(self, path: Path) -> None:
        """Keep a file as an artifact, at its place in the experiment folder."""
        if not self._keeps_files:
            return
        assert self._folder is not None
        client, run_id = self._running()
        inside = path.parent.relative_to(self._folder) if path.is_relative_to(self._folder) else Path()
        client.log_artifact(run_id, str(path), inside.as_posix() if inside.parts else None)

    def log_summary(self, figures: Mapping[str, Any]) -> None:
        """Log the numbers of the evaluation as metrics, at step 0."""
        numbers = {
            name: float(value)
            for name, value in figures.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        self.log_scalars(numbers, 0)

    def finish(self, exit_code: int) -> None:
        """End the run as finished, killed (after an interruption) or failed."""
        if self._client is not None and self._run_id is not None:
            status = {0: "FINISHED", 130: "KILLED"}.get(exit_code, "FAILED")
            self._client.set_terminated(self._run_id, status)

    def state_dict(self) -> LoggerState:
        """Return the id of the run."""
        return {"run_id": self._run_id}

    def load_state_dict(self, state: LoggerState) -> None:
        """Go on with the run of that id."""
        self._run_id = state["run_id"]

    def _running(self) -> tuple[MlflowClient, str]:
        assert self._client is not None
        assert self._run_id is not None
        return self._client, self._run_id


def _experiment_id(client: MlflowClient, name: str, artifacts: str | None) -> str:
    """Return the id of the MLflow experiment of that name, creating it if need be."""
    from mlflow.exceptions import MlflowException

    if (found := client.get_experiment_by_name(name)) is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name, artifact_location=artifacts))
    except MlflowException:
        # Another run, of a sweep for instance, may have created it in between.
        if (found := client.get_experiment_by_name(name)) is not None:
            return str(found.experiment_id)
        raise


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting as a dotted key and its text; lists stay whole."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif not isinstance(value, Sequence) or value:
            yield f"{prefix}{key}", str(value)
