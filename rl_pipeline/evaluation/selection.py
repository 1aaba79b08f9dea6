"""Selection of an agent and its configuration for `play`, `evaluate`, `export` and `deploy`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.algorithms.build import build
from rl_pipeline.config import Config, load_config
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.evaluation.agents import BASELINES, TRAINED, Agent, baseline_agent
from rl_pipeline.evaluation.trust import config_of_model
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.wandb_files import SCHEME, download_model
from rl_pipeline.experiment.lookup import find_model, model_of
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """An agent, and the configuration of its environment.

    Attributes:
        config: of the environment and the algorithm.
        agent: `trained`, `random` or `zero`.
        model: file of the trained model; None for a baseline.
        folder: the experiment of the model; None for a file outside of any.
    """

    config: Config
    agent: str
    model: Path | None
    folder: ExperimentFolder | None

    @property
    def name(self) -> str:
        """Name of the agent in reports."""
        return str(self.model) if self.model is not None else f"{self.agent} agent"

    def make_agent(self, venv: VecEnv) -> Agent:
        """Build the agent for these environments. Raises `InputError` when the model does not fit them."""
        if self.model is None:
            return baseline_agent(self.agent, venv.action_space, venv.num_envs, self.config.evaluation.seed)
        # Build the architecture of the configuration, then load the weights and the normaliser.
        model = build(self.config, venv, for_training=False)
        file = ModelFile.open(self.model)
        file.load_into(model)
        logger.info("%s", self._describe_age(file))
        return model

    def _describe_age(self, file: ModelFile) -> str:
        """Describe the model and its training steps, with those of the last model where they differ."""
        if file.timesteps is None:
            return str(file.path)
        text = f"{file.path}, trained for {file.timesteps:,} {plural(file.timesteps, 'step')}"
        # The best model is often older than the last one.
        last = None if self.folder is None else self.folder.model
        if last is None or last == file.path or not last.is_file():
            return text
        newest = ModelFile.open(last).timesteps
        return text if newest in (None, file.timesteps) else f"{text}; the last model, {last.name}, for {newest:,}"


def select(
    base: Config,
    *,
    experiment: str | None,
    model: str | None,
    agent: str,
    overrides: Sequence[str] = (),
    is_named: bool = False,
) -> Selection:
    """Select an agent: that of the command line, else of the `play` section, else of the newest experiment.

    It acts on simulators of its own, on any free port, so that trainings on this machine may go on.

    Args:
        base: the configuration without an experiment; gives the `play` section and the experiments directory.
        experiment: folder or name of an experiment.
        model: a model of the experiment by name, or any model file; without an experiment, the file brings its
            configuration.
        agent: `trained`, `random` or `zero`; a baseline acts in the environment of the experiment, if one is given,
            else in that of `base`.
        overrides: put over the experiment's configuration.
        is_named: whether the command line names the file of `base`; `base` is then the configuration of a model file
            without one, such as one written by Stable-Baselines3.

    Raises:
        InputError: there is no such agent, experiment or model.
    """
    # The endpoint of a training may hold the configured port.
    return _on_any_port(_select(base, experiment, model, agent, overrides, is_named=is_named))


def _select_plain_model(base: Config, file: Path) -> Selection:
    """Select a model file written by Stable-Baselines3 itself, with the configuration named for it."""
    logger.warning(
        "%s holds no statistics of a normaliser: what it was trained on with VecNormalize, it does not see here", file
    )
    return Selection(base, TRAINED, file, None)


def select_configured(config: Config) -> Selection:
    """Select the model of `experiment.name` and `training.load_step`, in the environment of `config`.

    Raises:
        InputError: there is no such experiment or model.
    """
    directory = config.experiment.directory
    folder = ExperimentFolder.find(config.experiment.name, directory)
    path = find_model(str(folder.path), directory, "training.load_step", config.training.load_step)
    return _on_any_port(Selection(config, TRAINED, path, folder))


def _on_any_port(selection: Selection) -> Selection:
    """Return the selection with an endpoint on any free port: a training may hold the configured one."""
    simulation = selection.config.simulation.with_any_port()
    return replace(selection, config=selection.config.model_copy(update={"simulation": simulation}))


def _select(
    base: Config, experiment: str | None, model: str | None, agent: str, overrides: Sequence[str], *, is_named: bool
) -> Selection:
    """Select an agent, with the port as configured; arguments as for `select`."""
    if agent not in (TRAINED, *BASELINES):
        raise UnknownNameError("agent", agent, (TRAINED, *BASELINES), where="--agent")
    # A baseline needs an environment only.
    if agent != TRAINED:
        folder = None if experiment is None else ExperimentFolder.find(experiment, base.experiment.directory)
        config = base if folder is None else load_config(config_file=folder.config, overrides=overrides, of_run=True)
        return Selection(config, agent, None, folder)
    # A model file outside of an experiment brings its configuration.
    if (file := _find_lone_model(base, experiment, model)) is not None:
        opened = ModelFile.open(file)
        if is_named and opened.config is None:
            return _select_plain_model(base, file)
        parent = ExperimentFolder(file.parent)
        known = parent if parent.overrides.is_file() else None
        return Selection(config_of_model(opened, overrides), agent, file, known)
    # A model of an experiment.
    if model is not None and not Path(model).is_file() and (Path(model).is_dir() or Path(model).name != model):
        raise InputError(f"--model: expected a model's name or a file, found no file {model}")
    folder = ExperimentFolder.find(experiment or base.play.experiment, base.experiment.directory)
    config = load_config(config_file=folder.config, overrides=overrides, of_run=True)
    name = model or base.play.pretrained_model
    path = Path(name) if Path(name).is_file() else model_of(folder, name)
    return Selection(config, agent, path, folder)


def _find_lone_model(base: Config, experiment: str | None, model: str | None) -> Path | None:
    """Return the model that brings its own configuration, from a file, a folder of such files, or W&B; else None."""
    if model is not None and model.startswith(SCHEME):
        return download_model(model, base.experiment.directory, "--model")
    if experiment is None:
        return Path(model) if model is not None and Path(model).is_file() else None
    folder = ExperimentFolder(Path(experiment))
    # Files of a run on Weights & Biases have a config.yaml too, but of another kind.
    if folder.overrides.is_file() or not any(folder.path.glob("*.zip")):
        return None
    return model_of(folder, model or base.play.pretrained_model)
