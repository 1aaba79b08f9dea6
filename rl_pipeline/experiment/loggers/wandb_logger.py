"""Weights & Biases as a logger. An error of the service costs a warning, never the training."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rl_pipeline.config.schema import Config, WandbRunConfig
from rl_pipeline.config.section import read_section
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.run_logger import LoggerState, RunLogger
from rl_pipeline.experiment.loggers.wandb_files import BESIDE_STATE, STATE
from rl_pipeline.tracebacks import describe_failure

logger = logging.getLogger(__name__)

INIT_TIMEOUT = 60.0
"""Seconds that Weights & Biases may take to answer before the run goes on without it."""


def sync_command(folder: ExperimentFolder) -> str:
    """Return the shell command that sends all parts of a run that was logged offline."""
    return f"wandb sync {shlex.quote(str(folder.path / 'wandb'))}/offline-run-*"


class WandbLogger(RunLogger):
    """Run on Weights & Biases; without an API key it is logged offline.

    It must start before TensorBoard's writer, whose events it sends on: scalars come from there.

    Args:
        settings: those of the section `wandb_run`.

    Raises:
        InputError: a setting is unknown or has no valid value.
    """

    title = "Weights & Biases"

    def __init__(self, **settings: Any) -> None:
        self._settings = read_section(WandbRunConfig, settings, "loggers.wandb", "setting of wandb")
        self._folder: ExperimentFolder | None = None
        self._id: str | None = None
        self._run: Any = None

    def start(self, folder: ExperimentFolder, config: Config) -> None:
        """Begin the run at the service, or go on with it if its id is known there."""
        import wandb

        self._folder = folder
        quiet = wandb.Settings(init_timeout=INIT_TIMEOUT, silent=True, console="off")
        wandb.setup(settings=quiet)
        # Ask for the key before the run begins: wandb would prompt for it.
        settings = self._settings
        mode = settings.mode or os.environ.get("WANDB_MODE")
        if mode not in ("offline", "disabled", "dryrun") and not wandb.login(prompt=False, verify=False):
            logger.warning("Weights & Biases has no API key (run `wandb login`): this run is logged offline")
            mode = "offline"
        self._run = wandb.init(
            project=settings.project_name,
            entity=settings.entity,
            name=settings.name or folder.path.name,
            group=settings.group,
            tags=settings.tags or None,
            id=self._id,
            resume="allow",
            mode=mode,  # type: ignore[arg-type]
            dir=str(folder.path.resolve()),  # the service that writes there keeps to the folder it began in
            config=config.model_dump(mode="json"),
            sync_tensorboard=True,
            monitor_gym=True,
            save_code=False,
            settings=quiet,
        )
        logger.info("Weights & Biases: %s", self._run.url or f"offline; send it with: {sync_command(folder)}")

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Do nothing: `sync_tensorboard` sends the scalars of TensorBoard's events."""

    def log_file(self, path: Path) -> None:
        """Put a file of the experiment folder among the run's files."""
        assert self._folder is not None
        base = str(self._folder.path)
        self._attempt(f"save {path.name}", lambda: self._run.save(str(path), base_path=base, policy="now"))

    def log_state(self, path: Path) -> None:
        """Put the state among the run's files under one name, with the files that a resumed run reads besides."""
        if not self._settings.save_state:
            return
        assert self._folder is not None

        # W&B keeps a file under the name of its link, so that each state replaces the one before.
        def save() -> None:
            link = Path(self._run.dir) / STATE
            link.unlink(missing_ok=True)
            link.symlink_to(path.resolve())
            self._run.save(str(link), base_path=self._run.dir, policy="now")

        self._attempt(f"save {path.name}", save)
        for name in BESIDE_STATE:
            if (self._folder.path / name).exists():
                self.log_file(self._folder.path / name)

    def log_video(self, path: Path, step: int) -> None:
        """Show a video among the run's media, and keep it as a file."""

        def log() -> None:
            import wandb

            self._run.log({f"videos/{path.stem}": wandb.Video(str(path), format="mp4"), "global_step": step})

        self.log_file(path)
        self._attempt(f"log {path.name}", log)

    def log_summary(self, figures: Mapping[str, Any]) -> None:
        """Add figures to the run's summary."""
        self._attempt("summarise", lambda: self._run.summary.update(dict(figures)))

    def finish(self, exit_code: int) -> None:
        """End the run."""
        if self._run is not None:
            self._attempt("finish", lambda: self._run.finish(exit_code=exit_code))
            self._run = None

    def state_dict(self) -> LoggerState:
        """Return the id of the run, so that a resumed experiment continues it."""
        return {"run_id": self._run.id}

    def load_state_dict(self, state: LoggerState) -> None:
        """Begin under an id that is known already."""
        self._id = state["run_id"]

    def _attempt(self, action: str, call: Callable[[], object]) -> None:
        """Warn about a failed request instead of raising: the next one may get through, so the run is not dropped."""
        try:
            call()
        except Exception as error:  # any error of a service on the network
            logger.warning("Weights & Biases could not %s: %s", action, describe_failure(error).splitlines()[0])
