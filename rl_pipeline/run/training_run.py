"""One training: environments, model and callbacks, from the first step to the files at the end."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.experiment.atomic_files import OptionalFile, whole_file
from rl_pipeline.experiment.checkpoints.checkpointer import save_buffer
from rl_pipeline.experiment.checkpoints.model_file import save_model
from rl_pipeline.experiment.evaluations import EvaluationLog, EvaluationSummary
from rl_pipeline.experiment.folder import environment_folder
from rl_pipeline.experiment.loggers.progress import TrainingProgress
from rl_pipeline.experiment.loggers.resumable_logger import log_interval
from rl_pipeline.experiment.loggers.sb3_formats import training_logger
from rl_pipeline.experiment.plots.training_curves import draw_curves
from rl_pipeline.experiment.recording.episodes import EpisodeRecorder
from rl_pipeline.experiment.recording.video import VideoRecorder
from rl_pipeline.run.best_model import evaluate_best_model, record_best_model
from rl_pipeline.run.callbacks.restoration import RunParts
from rl_pipeline.run.callbacks.training_callbacks import TrainingObjects, make_callbacks
from rl_pipeline.run.context import RunContext


class TrainingRun:
    """A model in its environments, ready to learn.

    Args:
        context: the plan, the folder, the environments and everything else that the run is given.

    Attributes:
        model: the model in training.
        parts: the parts of the run's state by name; those added before `learn` are saved and restored with the others.
        start: environment steps taken before, summed over the environments.
        saved: `save` has written the model.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._config = context.plan.config
        self._folder = context.folder
        self.start = context.plan.start
        self.saved = False
        # Open the environments and record their episodes and videos.
        self_play = context.plan.callbacks.self_play
        venv = context.environments.training(None if self_play is None else self_play.opponents)
        self._recorder = self._make_video_recorder(venv)
        self._episodes = EpisodeRecorder(self._recorder or venv, self._folder.episodes, self.start)
        self._evaluations = EvaluationLog(self._folder.evaluations)
        # Build the model and its log.
        training = self._config.training
        self.model = context.plan.build_model(self._episodes)
        interval = training.log_interval or 1
        log = training_logger(self._folder, training.verbose, self.start, interval, context.plan.loggers)
        self.model.set_logger(log)
        # Make the callbacks, and collect everything with a state.
        self.parts = RunParts(self.model, context.plan.config_text)
        self.parts["log"] = log
        history = self._episodes.history
        self._progress = TrainingProgress(training.total_timesteps, history, context.console, self.start)
        self._callbacks = make_callbacks(
            context,
            TrainingObjects(
                self.model,
                self._episodes,
                self._evaluations,
                self._progress,
                self.parts,
                lambda: self._evaluation_venv,
            ),
        )

    def learn(self) -> None:
        """Train to the end, with checkpoints, evaluations and videos on the way.

        The context's `check` may raise to end the training.
        """
        training = self._config.training
        with self._progress:
            # A complete run is restored to be evaluated.
            if self.start >= training.total_timesteps:
                self._callbacks.restoration.restore()
                return
            # The state is restored before the first rollout, which sets the model's step to that of the checkpoint.
            try:
                given = log_interval(self.model, training.log_interval)
                self.model.learn(training.total_timesteps, self._callbacks.sequence, **given)
            finally:
                if self._recorder is not None:
                    self._recorder.finish()
            self._callbacks.sequence.at_end(self.model.num_timesteps)

    @property
    def steps_taken(self) -> int:
        """Environment steps since `start`; 0 until a resumed run has been restored."""
        return 0 if self._callbacks.restoration.is_pending else self.model.num_timesteps - self.start

    def save(self) -> None:
        """Write the model, the replay buffer and the curves as they are now, and close the files of the training.

        Of a run that took no step, or that ended before it was restored, no model is written: its last state is valid.
        """
        if not self._callbacks.restoration.is_pending and self.model.num_timesteps:
            self._save_model()
        # The files of the training are complete.
        self._episodes.close_file()
        # Draw the curves.
        environment = environment_folder(self._config.environment.id)
        title = f"{environment} · {type(self.model).__name__} · {self._folder.path.name}"
        curves = OptionalFile(self._folder.curves)
        curves.attempt(lambda: draw_curves(curves.path, title, self._episodes.history, self._evaluations))
        if (self_play := self._context.plan.callbacks.self_play) is not None:
            self_play.draw(self._folder, title)
        self.model.logger.close()
        # Hand the files to the loggers.
        for path in (self._folder.model, self._folder.best_model, self._folder.curves):
            self._context.plan.loggers.log_file(path)

    def evaluate_best(self) -> EvaluationSummary | None:
        """Evaluate the best model and write evaluation.json; `model` has its weights from here on."""
        return evaluate_best_model(self._context, self.model, self._evaluation_venv)

    def film_best(self) -> Path | None:
        """Film a few episodes of the best model; None, with one warning for all videos, when that fails."""
        if not self._draws_frames or (self._recorder is not None and not self._recorder.draws):
            return None
        return record_best_model(self._context, self.model, self._evaluation_venv)

    def _save_model(self) -> None:
        """Write the model, which is the best one too where evaluations do not say otherwise, and the run's state."""
        save_model(self.model, self._folder.model, self._context.plan.config_text)
        self.saved = True
        save_buffer(self.model, self._folder)
        self._callbacks.checkpoint.save_state()
        evaluated = self._config.training.eval.num_evals > 0 and self._evaluations.timesteps
        if not evaluated or not self._folder.best_model.exists():
            # The last model is the best one known.
            with whole_file(self._folder.best_model) as temporary:
                shutil.copyfile(self._folder.model, temporary)

    def _make_video_recorder(self, venv: VecEnv) -> VideoRecorder | None:
        """Wrap the training environments to record videos; None when none are wanted or none can be drawn."""
        settings = self._config.environment
        if not (settings.video_wrapper and self._draws_frames):
            return None
        return VideoRecorder(
            venv,
            self._folder.videos,
            settings.video_trigger,
            settings.video_length,
            self._log_video,
            self.start // venv.num_envs,
        )

    @cached_property
    def _draws_frames(self) -> bool:
        """Frames are wanted, and the environments can draw them."""
        return self._config.environment.render_mode == "rgb_array" and not self._context.environments.missing_frames

    def _log_video(self, path: Path, step: int) -> None:
        self._context.plan.loggers.log_video(path, step * self._config.simulation.n_environments)

    @cached_property
    def _evaluation_venv(self) -> VecEnv:
        """Environments for every evaluation of this run; their simulators start with the first."""
        return self._context.open_evaluation_environments()
