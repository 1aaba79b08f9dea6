"""One training: the model, its environments, and all that watches them."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from rich.console import Console
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.algorithms.build import build
from rl_pipeline.algorithms.schedules import AdaptiveRate
from rl_pipeline.config import Config
from rl_pipeline.config.schema import EvaluationConfig
from rl_pipeline.envs.factory import Environments
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.experiment.atomic_files import OptionalFile, whole_file, write_text
from rl_pipeline.experiment.checkpoints.checkpointer import Checkpoints, Intervals, Milestones, save_buffer
from rl_pipeline.experiment.checkpoints.learner_state import LearnerState, RandomState
from rl_pipeline.experiment.checkpoints.model_file import ModelFile, hand_over_statistics, save_model
from rl_pipeline.experiment.checkpoints.replay_buffer import ReplayBufferState
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.checkpoints.run_state import Stateful
from rl_pipeline.experiment.evaluations import EvaluationLog, EvaluationSummary, summarise
from rl_pipeline.experiment.folder import ExperimentFolder, environment_folder
from rl_pipeline.experiment.loggers.progress import TrainingProgress, counted
from rl_pipeline.experiment.loggers.resumable_logger import log_interval
from rl_pipeline.experiment.loggers.run_logger import RunLoggers
from rl_pipeline.experiment.loggers.sb3_formats import training_logger
from rl_pipeline.experiment.plots.elo import draw_elo
from rl_pipeline.experiment.plots.training_curves import draw_curves
from rl_pipeline.experiment.recording.episodes import EpisodeRecorder
from rl_pipeline.experiment.recording.video import VideoRecorder
from rl_pipeline.plurals import plural
from rl_pipeline.run.callbacks.callback import StepCallback
from rl_pipeline.run.callbacks.curriculum import Lessons
from rl_pipeline.run.callbacks.evaluation import Evaluated, PeriodicEvaluation
from rl_pipeline.run.callbacks.network_reset import ModelReset
from rl_pipeline.run.callbacks.player_monitor import PlayerMonitor
from rl_pipeline.run.callbacks.self_play import SelfPlay
from rl_pipeline.run.callbacks.user import InfoLog, named_callbacks
from rl_pipeline.run.final_video import record_final_video
from rl_pipeline.run.segment import begin_segment, has_short_rollouts
from rl_pipeline.simulation.player_arguments import EMBEDDED
from rl_pipeline.wrappers.wrapping import wrap_environments

logger = logging.getLogger(__name__)

FEWEST_EPISODES = 5


class TrainingRun:
    """A model in its environments, ready to learn.

    Args:
        config: the whole configuration.
        config_text: the same as text, kept inside each model.
        folder: where everything goes.
        environments: makes the environments, and owns them.
        loggers: trackers of the run, which get scalars, models and videos.
        console: where progress is drawn; None: it is logged only.
        resume: what to go on from; None: begin.
        callbacks: further callbacks of Stable-Baselines3, called after what the run itself does. One that has
            `state_dict` and `load_state_dict` is part of the run's state.
        evaluated: called after each evaluation during training.

    Attributes:
        model: what learns.
        parts: what is in the run's state, by name; whatever is added before `learn` is saved and restored with it.
        start: environment steps that were taken before.
        saved: whether `save` has written the model.
    """

    def __init__(
        self,
        config: Config,
        config_text: str,
        folder: ExperimentFolder,
        environments: Environments,
        loggers: RunLoggers,
        console: Console | None,
        resume: ResumePoint | None = None,
        callbacks: Sequence[BaseCallback] = (),
        evaluated: Evaluated | None = None,
    ) -> None:
        self._evaluated = evaluated
        self._config, self._text, self._folder = config, config_text, folder
        self._environments, self._loggers = environments, loggers
        self._console = console if config.training.verbose else None
        self._recorder: VideoRecorder | None = None
        self._states = resume.states if resume is not None else {}
        self.start = resume.timesteps if resume is not None else 0
        self.saved = False
        self._self_play = SelfPlay.of(config)
        venv = environments.training(None if self._self_play is None else self._self_play.opponents)
        self._films = config.environment.render_mode == "rgb_array" and not environments.missing_frames
        if config.environment.video_wrapper and self._films:
            video = config.environment
            self._recorder = venv = VideoRecorder(
                venv, folder.videos, video.video_trigger, video.video_length, self._video_finished,
                self.start // venv.num_envs,
            )  # fmt: skip
        self._episodes = EpisodeRecorder(venv, folder.episodes, self.start)
        self._evaluations = EvaluationLog(folder.evaluations)
        self.model = build(config, wrap_environments(config, self._episodes, training=True))
        training = config.training
        log = training_logger(folder, training.verbose, self.start, training.log_interval or 1, loggers)
        self.model.set_logger(log)
        self.parts: dict[str, Stateful] = {"learner": LearnerState(self.model, config_text), "log": log}
        if isinstance(self.model, OffPolicyAlgorithm):
            self.parts["replay_buffer"] = ReplayBufferState(self.model)
        self._lessons = Lessons(
            self.model, environments.parameters, self._episodes.history, config.training.total_timesteps
        )
        self.parts["lessons"] = self._lessons
        if self._self_play is not None:
            self._self_play.follow(self.model)
            self.parts["self_play"] = self._self_play
        if isinstance(self.model.learning_rate, AdaptiveRate):
            self.parts["learning_rate"] = self.model.learning_rate
        self._callbacks = {
            "infos": InfoLog(config.training.log_info_keys),
            **named_callbacks(config),
            **{type(callback).__name__: callback for callback in callbacks},
        }
        self.parts |= {name: each for name, each in self._callbacks.items() if isinstance(each, Stateful)}
        # The last one to be restored: what restores the others may draw random numbers.
        self._random = RandomState(self.model)

    def learn(self, check: Callable[[], None]) -> None:
        """Train to the end, with checkpoints, evaluations and videos on the way.

        `check` is called after each step and may raise to end the training.
        """
        training = self._config.training
        self._evaluation = PeriodicEvaluation(
            self.model, lambda: self._evaluation_venv, training.eval, self._folder, self._text,
            training.total_timesteps, self._evaluations, check, self._environments.shares_players,
            self._evaluated,
        )  # fmt: skip
        history = self._episodes.history
        is_build = self._config.simulation.unity.build_path != EMBEDDED
        players = PlayerMonitor(self.model, self._episodes, self._folder.communication, is_build=is_build)
        with TrainingProgress(training.total_timesteps, history, self._console, self.start) as progress:
            answer = [lambda _: check()]
            at_once, between = ([], answer) if has_short_rollouts(self.model) else (answer, [])
            callback = StepCallback(
                [*at_once, progress.update, players.update, *(each.update for each in self._followers)],
                # In this order: the figures that are restored have adapted the rate already.
                before_rollout=[
                    self._adapt_rate, self._restore, *between, self._evaluation.update,
                    *(each.record for each in self._followers), *self._resets, self._save_checkpoint,
                ],
            )  # fmt: skip
            if self.start >= training.total_timesteps:
                self._restore(self.start)
                return
            try:
                given = log_interval(self.model, training.log_interval)
                self.model.learn(training.total_timesteps, [callback, *self._callbacks.values()], **given)
            finally:
                if self._recorder is not None:
                    self._recorder.finish()
            self._evaluation.finish(self.model.num_timesteps)
            self._checkpoints.update(self.model.num_timesteps)

    def _restore(self, _: int) -> None:
        """Become, before the first rollout, what a run that is resumed was at its checkpoint."""
        if not self._states:
            return
        states, self._states = self._states, {}
        for name, part in {**self.parts, "random": self._random}.items():
            if name in states:
                part.load_state_dict(states[name])
        self._evaluations.go_back(self.start)
        self._evaluation.go_back()
        self._checkpoint_due(self.start)
        if self.start < self._config.training.total_timesteps:  # else an observation more would count in a normaliser
            begin_segment(self.model, self._config.training.seed)

    def _adapt_rate(self, _: int) -> None:
        """Have an adaptive learning rate follow the last update, before its figures are written and forgotten."""
        rate, divergence = self.model.learning_rate, self.model.logger.name_to_value.get("train/approx_kl")
        if isinstance(rate, AdaptiveRate) and divergence is not None:
            rate.follow(float(divergence))

    def _save_checkpoint(self, timesteps: int) -> None:
        if self._checkpoints.update(timesteps):
            begin_segment(self.model, self._config.training.seed)

    @cached_property
    def _checkpoints(self) -> Checkpoints:
        parts = {**self.parts, "random": self._random}
        return Checkpoints(
            self.model, self._folder, self._text, self._checkpoint_due, parts, self._loggers.log_file,
            self._loggers.log_state, models=self._config.training.keeps_checkpoints,
        )  # fmt: skip

    @cached_property
    def _checkpoint_due(self) -> Callable[[int], bool]:
        training, history = self._config.training, self._episodes.history
        milestones, intervals = Milestones(training.total_timesteps, training.log_points), Intervals(training.save_freq)

        def due(timesteps: int) -> bool:
            count = timesteps if training.save_freq_unit == "steps" else len(history.returns)
            # Both are asked: each keeps count.
            return any([milestones.reached(timesteps), intervals.reached(count)])

        return due

    @property
    def steps_taken(self) -> int:
        """Environment steps since `start`; 0 until a resumed run has been restored."""
        return 0 if self._states else self.model.num_timesteps - self.start

    def save(self) -> None:
        """Write the model, the replay buffer and the curves as they are now, and close what is written as one goes.

        Nothing of a run that took no step, or of one that ended before it was restored: its last state still holds.
        """
        if not self._states and self.model.num_timesteps:
            self._save_model()
        self._episodes.close_file()
        environment = environment_folder(self._config.environment.id)
        title = f"{environment} · {type(self.model).__name__} · {self._folder.path.name}"
        curves = OptionalFile(self._folder.curves)
        curves.attempt(lambda: draw_curves(curves.path, title, self._episodes.history, self._evaluations))
        if (self_play := self._self_play) is not None:
            OptionalFile(self._folder.elo).attempt(lambda: draw_elo(self._folder.elo, title, self_play.history))
        self.model.logger.close()
        for path in (self._folder.model, self._folder.best_model, self._folder.curves):
            self._loggers.log_file(path)

    def _save_model(self) -> None:
        """Write the model, which is the best one too where evaluations do not say otherwise, and the run's state."""
        save_model(self.model, self._folder.model, self._text)
        self.saved = True
        save_buffer(self.model, self._folder)
        self._checkpoints.save_state(self.model.num_timesteps)
        evaluated = self._config.training.eval.num_evals > 0 and self._evaluations.timesteps
        if not evaluated or not self._folder.best_model.exists():
            with whole_file(self._folder.best_model) as temporary:
                shutil.copyfile(self._folder.model, temporary)

    def evaluate_best(self, check: Callable[[], None]) -> EvaluationSummary | None:
        """Judge the best model on the seeds of the `evaluation` section and write evaluation.json.

        From here on `model` has the weights of the best model: the last ones are to be saved before.
        """
        ModelFile.open(self._folder.best_model).load_into(self.model)
        if (venv := self.model.get_env()) is not None:
            hand_over_statistics(venv, self._evaluation_venv)
        settings = self._config.evaluation
        episodes_noun = plural(settings.num_episodes, "episode")
        logger.info("evaluating the best model over %d %s", settings.num_episodes, episodes_noun)
        if settings.num_episodes < FEWEST_EPISODES:
            logger.warning(
                "evaluation.num_episodes: the figures of %d %s say next to nothing; %d is the default",
                settings.num_episodes, episodes_noun, EvaluationConfig().num_episodes,
            )  # fmt: skip
        with counted("evaluating", settings.num_episodes, episodes_noun, self._console) as progress:
            episodes = play_episodes(
                self.model, self._evaluation_venv, settings.num_episodes, settings.seed,
                deterministic=settings.deterministic, each_step=check, progress=progress,
            )  # fmt: skip
        summary = summarise(episodes)
        if summary is not None:
            facts = {"seed": settings.seed, "deterministic": settings.deterministic, **dataclasses.asdict(summary)}
            write_text(self._folder.evaluation, json.dumps(facts, indent=2) + "\n")
            self._loggers.log_file(self._folder.evaluation)
            self._loggers.log_summary({f"evaluation/{key}": value for key, value in facts.items()})
        return summary

    def film_best(self, check: Callable[[], None]) -> Path | None:
        """Film a few episodes of the best model; None, with one warning for all videos, when that cannot be done."""
        if not self._films or (self._recorder is not None and not self._recorder.draws):
            return None
        path = self._folder.final_video
        if not record_final_video(self.model, self._evaluation_venv, path, self._config, check, self._console):
            return None
        self._loggers.log_video(path, self.model.num_timesteps)
        return path

    @cached_property
    def _resets(self) -> list[Callable[[int], None]]:
        """What gives the model new networks, if it is to get any."""
        interval = self._config.training.resetting_interval
        return [] if interval is None else [ModelReset(self.model, interval, self.start).update]

    @property
    def _followers(self) -> list[Lessons | SelfPlay]:
        """What is kept up to date with each step, and logged with each rollout."""
        return [self._lessons] if self._self_play is None else [self._lessons, self._self_play]

    def _video_finished(self, path: Path, step: int) -> None:
        self._loggers.log_video(path, step * self._config.simulation.n_environments)

    @cached_property
    def _evaluation_venv(self) -> VecEnv:
        """Environments for every evaluation of this run; their simulators start with the first."""
        episodes = max(self._config.training.eval.num_episodes, self._config.evaluation.num_episodes)
        size = self._environments.evaluation_size(episodes)
        return open_evaluation_environments(self._environments, self._config, size, self._config.training.eval.seed)
