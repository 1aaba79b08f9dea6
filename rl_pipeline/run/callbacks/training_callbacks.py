"""The callbacks of a training, in the order in which they are called.

| callback | restored | before_rollout | after_step | at_end |
|---|---|---|---|---|
| `AdaptiveLearningRate` | | follow the divergence of the last update | | |
| `Restoration` | | once: load all parts, call `restored` of those below, restart the episodes | | |
| `InterruptionCheck` | | check (short rollouts) | check (long rollouts) | |
| `ProgressDisplay` | | | update the bar | |
| `PlayerMonitor` | | | log response times | |
| `PeriodicEvaluation` | continue the log | evaluate when due | | evaluate |
| `CurriculumProgress` | | log the lessons | count episodes | |
| `SelfPlay` | | log the ratings | take snapshots when due | |
| `NetworkReset` | continue the count | reset when due | | |
| `PeriodicCheckpoint` | continue the count | save when due, restart the episodes | | save |
| `InfoLog`, then the user's | | the hooks of Stable-Baselines3 | | |

The order is part of the algorithm:

- The learning rate comes before the restoration: the figures that are restored have adapted the restored rate already.
- The restoration comes before everything else that reads the model or the step.
- An interruption comes before an evaluation, which may take minutes.
- An evaluation comes before the networks are reset, and judges those that have learned.
- Ratings and lessons are logged before a checkpoint, which keeps the pending row of the log.
- A reset comes before a checkpoint, so that a resumed run starts with the new networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.algorithms.schedules import AdaptiveRate
from rl_pipeline.experiment.checkpoints.checkpointer import Checkpoints
from rl_pipeline.experiment.checkpoints.run_state import State
from rl_pipeline.experiment.evaluations import EvaluationLog
from rl_pipeline.experiment.loggers.progress import TrainingProgress
from rl_pipeline.experiment.recording.episodes import EpisodeRecorder
from rl_pipeline.run.callbacks.callback import CallbackSequence, RunCallback
from rl_pipeline.run.callbacks.checkpoints import CheckpointSchedule, PeriodicCheckpoint
from rl_pipeline.run.callbacks.curriculum import CurriculumProgress
from rl_pipeline.run.callbacks.evaluation import PeriodicEvaluation
from rl_pipeline.run.callbacks.info_log import InfoLog
from rl_pipeline.run.callbacks.player_monitor import PlayerMonitor
from rl_pipeline.run.callbacks.restoration import Restoration, RunParts
from rl_pipeline.run.context import RunContext

SHORT_ROLLOUT: Final = 16
"""Steps that a signal may wait: a second or two where a step takes a tenth of a second."""


class AdaptiveLearningRate(RunCallback):
    """Has an adaptive learning rate follow the last update, before its figures are written and forgotten."""

    name = "learning_rate"

    def __init__(self, rate: AdaptiveRate) -> None:
        super().__init__()
        self._rate = rate

    def before_rollout(self, timesteps: int) -> None:
        """Take the KL divergence of the last update into account; there is none before the first."""
        divergence = self.model.logger.name_to_value.get("train/approx_kl")
        if divergence is not None:
            self._rate.follow(float(divergence))

    def state_dict(self) -> State:
        """Return the present rate."""
        return self._rate.state_dict()

    def load_state_dict(self, state: State) -> None:
        """Continue with the rate of the state."""
        self._rate.load_state_dict(state)


class InterruptionCheck(RunCallback):
    """Calls `check`, which raises to end the training: between rollouts if they are short, else after each step.

    After a whole rollout and its update the counters are those of an undisturbed run.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check
        self._waits = False

    def _init_callback(self) -> None:
        self._waits = has_short_rollouts(self.model)

    def before_rollout(self, timesteps: int) -> None:
        """Check where rollouts are short."""
        if self._waits:
            self._check()

    def after_step(self, timesteps: int) -> None:
        """Check where rollouts are long."""
        if not self._waits:
            self._check()


class ProgressDisplay(RunCallback):
    """Moves the progress bar, or logs a line now and then."""

    def __init__(self, progress: TrainingProgress) -> None:
        super().__init__()
        self._progress = progress

    def after_step(self, timesteps: int) -> None:
        """Show the steps so far."""
        self._progress.update(timesteps)


@dataclass(frozen=True)
class TrainingObjects:
    """The objects of one training that its callbacks work on.

    Attributes:
        model: the model in training.
        episodes: the training environments, which record their episodes.
        evaluations: log of the evaluations during training.
        progress: display of the progress.
        parts: parts of the run's state; the callbacks with a state are added.
        open_evaluation_venv: opens the environments of evaluations, once.
    """

    model: BaseAlgorithm
    episodes: EpisodeRecorder
    evaluations: EvaluationLog
    progress: TrainingProgress
    parts: RunParts
    open_evaluation_venv: Callable[[], VecEnv]


@dataclass(frozen=True)
class TrainingCallbacks:
    """The callbacks of one training.

    Attributes:
        sequence: all of them, for `learn`.
        restoration: restores a resumed run.
        checkpoint: saves the state of the run.
    """

    sequence: CallbackSequence
    restoration: Restoration
    checkpoint: PeriodicCheckpoint


def make_callbacks(context: RunContext, training: TrainingObjects) -> TrainingCallbacks:
    """Make the callbacks of a training and register the state of those that have one.

    Args:
        context: the run.
        training: the objects that the callbacks work on.
    """
    plan = context.plan
    settings = plan.config.training
    model = training.model
    # In the order of the table above.
    schedule = CheckpointSchedule(settings, training.episodes.history)
    checkpoint = PeriodicCheckpoint(_make_checkpoints(context, training, schedule), schedule, settings.seed)
    own: list[RunCallback] = [
        InterruptionCheck(context.check),
        ProgressDisplay(training.progress),
        PlayerMonitor.of(plan.config, training.episodes, context.folder.communication),
        PeriodicEvaluation(context, training.open_evaluation_venv, training.evaluations),
        CurriculumProgress(context.environments.parameters, training.episodes.history, settings.total_timesteps),
    ]
    own += [each for each in (plan.callbacks.self_play, plan.callbacks.network_reset) if each is not None]
    own.append(checkpoint)
    states = {} if plan.resume is None else plan.resume.states
    restoration = Restoration(states, training.parts, own, settings.seed, settings.total_timesteps)
    rate = [AdaptiveLearningRate(model.learning_rate)] if isinstance(model.learning_rate, AdaptiveRate) else []
    # The restoration calls `restored` of those after it.
    own = [*rate, restoration, *own]
    # The user's callbacks come last; `learn` initialises them, and it alone: one may open files then.
    others: dict[str, BaseCallback] = {"infos": InfoLog(settings.log_info_keys), **plan.callbacks.user}
    others |= {type(callback).__name__: callback for callback in context.callbacks}
    for callback in own:
        callback.init_callback(model)
    # Every callback with a state is saved and restored with the run.
    sequence = CallbackSequence(own, others)
    training.parts.update(sequence.parts)
    return TrainingCallbacks(sequence, restoration, checkpoint)


def has_short_rollouts(model: BaseAlgorithm) -> bool:
    """Return True if a signal can wait for the end of a rollout and its update."""
    if not isinstance(model, OffPolicyAlgorithm):
        return False
    frequency, unit = cast("TrainFreq", model.train_freq)
    return unit == TrainFrequencyUnit.STEP and frequency <= SHORT_ROLLOUT


def _make_checkpoints(context: RunContext, training: TrainingObjects, schedule: CheckpointSchedule) -> Checkpoints:
    """Make the writer of checkpoints; the loggers get each file."""
    return Checkpoints(
        training.model,
        context.folder,
        context.plan.config_text,
        schedule.is_due,
        training.parts,
        context.plan.loggers.log_file,
        context.plan.loggers.log_state,
        models=context.plan.config.training.keeps_checkpoints,
    )
