"""The model that a training starts from: its weights, and the replay buffer stored with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.checkpoints.replay_buffer import load_replay_buffer
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import find_model
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PretrainedModel:
    """The model named by `training.pretrained_model`.

    Attributes:
        file: the model file.
    """

    file: ModelFile

    @classmethod
    def of(cls, config: Config) -> PretrainedModel | None:
        """Find the configured model; None when none is configured. Raises `InputError` when there is no such model."""
        training = config.training
        if training.pretrained_model is None:
            return None
        where = "training.pretrained_model"
        path = find_model(str(training.pretrained_model), config.experiment.directory, where, training.load_step)
        return cls(ModelFile.open(path))

    def load_into(self, model: BaseAlgorithm) -> None:
        """Load the weights. Raises `InputError` when they do not fit."""
        self.file.load_into(model)

    def start_from(self, model: BaseAlgorithm) -> None:
        """Load the weights into a model about to train, and the replay buffer of the same folder if it fits."""
        # Weights.
        self.file.load_into(model)
        logger.info("starting from %s", self.file.path)
        buffer = ExperimentFolder(self.file.path.parent).replay_buffer
        if not isinstance(model, OffPolicyAlgorithm) or not buffer.is_file():
            return
        # The buffer may be of another environment or version.
        try:
            transitions = load_replay_buffer(model, buffer)
        except InputError as error:
            logger.warning("starting with an empty replay buffer: %s", error)
            return
        # A filled buffer needs no random actions to warm it up.
        model.learning_starts = 0
        noun = plural(transitions, "transition")
        logger.info("replay buffer with %d %s per environment from %s", transitions, noun, buffer)
