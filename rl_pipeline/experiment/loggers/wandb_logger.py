"""The run on Weights & Biases. Whatever goes wrong there costs a warning, never the training."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rl_pipeline.config.schema import Config
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.wandb_files import BESIDE_STATE, STATE

logger = logging.getLogger(__name__)

INIT_TIMEOUT = 60.0
"""Seconds that Weights & Biases may take to answer before the run goes on without it."""


def sync_command(folder: ExperimentFolder) -> str:
    """The shell command that sends a run that was logged offline, with all its parts if it was resumed."""
    return f"wandb sync {shlex.quote(str(folder.path / 'wandb'))}/offline-run-*"


class WandbRun:
    """A run on Weights & Biases, or nothing at all when the configuration does not want one or it could not begin.

    Must be made before TensorBoard's writer, whose events it sends on. Without an API key it runs offline.

    Args:
        config: the whole configuration.
        folder: of the experiment.
        run_id: the run's id, the same when the experiment is resumed.
    """

    def __init__(self, config: Config, folder: ExperimentFolder, run_id: str | None = None) -> None:
        self._folder, self._id = folder, run_id
        self._run: Any = None
        self._keeps_states = config.wandb_run.save_state
        if config.training.on_wandb:
            self._attempt("start", lambda: self._begin(config))

    @property
    def active(self) -> bool:
        """Whether anything is logged."""
        return self._run is not None

    @property
    def url(self) -> str | None:
        """The run's page; None offline."""
        return self._run.url if self._run is not None else None

    def save(self, path: Path) -> None:
        """Put a file of the experiment folder among the run's files."""
        if self.active and path.exists():
            base = str(self._folder.path)
            self._attempt(f"save {path.name}", lambda: self._run.save(str(path), base_path=base, policy="now"))

    def save_state(self, path: Path) -> None:
        """Put the state that the run can go on from among its files, in place of the one before."""
        if not self.active or not self._keeps_states:
            return

        def save() -> None:
            link = Path(self._run.dir) / STATE
            link.unlink(missing_ok=True)
            link.symlink_to(path.resolve())
            self._run.save(str(link), base_path=self._run.dir, policy="now")

        self._attempt(f"save {path.name}", save)
        for name in BESIDE_STATE:
            self.save(self._folder.path / name)

    def log_video(self, path: Path, timesteps: int) -> None:
        """Show a video among the run's media, and keep it as a file."""

        def log() -> None:
            import wandb

            self._run.log({f"videos/{path.stem}": wandb.Video(str(path), format="mp4"), "global_step": timesteps})

        self.save(path)
        if self.active:
            self._attempt(f"log {path.name}", log)

    def summarise(self, figures: dict[str, Any]) -> None:
        """Add figures to the run's summary."""
        if self.active:
            self._attempt("summarise", lambda: self._run.summary.update(figures))

    def finish(self, exit_code: int = 0) -> None:
        """End the run; safe to call twice."""
        if self.active:
            self._attempt("finish", lambda: self._run.finish(exit_code=exit_code))
            self._run = None

    def _begin(self, config: Config) -> None:
        import wandb

        settings = config.wandb_run
        quiet = wandb.Settings(init_timeout=INIT_TIMEOUT, silent=True, console="off")
        wandb.setup(settings=quiet)
        mode = settings.mode or os.environ.get("WANDB_MODE")
        if mode not in ("offline", "disabled", "dryrun") and not wandb.login(prompt=False, verify=False):
            logger.warning("Weights & Biases has no API key (run `wandb login`): this run is logged offline")
            mode = "offline"
        self._run = wandb.init(
            project=settings.project_name,
            entity=settings.entity,
            name=settings.name or self._folder.path.name,
            group=settings.group,
            tags=settings.tags or None,
            id=self._id,
            resume="allow",
            mode=mode,  # type: ignore[arg-type]
            dir=str(self._folder.path.resolve()),  # the service that writes there keeps to the folder it began in
            config=config.model_dump(mode="json"),
            sync_tensorboard=True,
            monitor_gym=True,
            save_code=False,
            settings=quiet,
        )
        logger.info("Weights & Biases: %s", self.url or f"offline; send it with: {sync_command(self._folder)}")

    def _attempt(self, what: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # whatever a service on the network can raise
            first_line = (str(error).splitlines() or [""])[0]
            logger.warning("Weights & Biases could not %s: %s: %s", what, type(error).__name__, first_line)
