"""Games of a runner, played by a trained model of any registered algorithm."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.algorithms.build import build
from rl_pipeline.envs.factory import Environments
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.evaluations import Episodes
from rl_pipeline.experiment.loggers.progress import counted
from rl_pipeline.rl_games.job import Job
from rl_pipeline.rl_games.runner_checkpoints import OPTION, find_network
from rl_pipeline.run.play import require_display, watched_config


class Player:
    """A trained model that plays the games of a runner's file.

    Args:
        job: the file and the settings of the command line.
        algorithm: name of the model's algorithm; None: the job's name.

    Raises:
        InputError: the configuration cannot be used.
    """

    def __init__(self, job: Job, algorithm: str | None = None) -> None:
        self.job = job
        self.config, self.run_settings = job.settings(algorithm, for_training=False)
        simulation = self.config.simulation.with_any_port()
        self.config = self.config.model_copy(update={"simulation": simulation})
        self._model: Path | None = None

    def restore(self, checkpoint: str) -> None:
        """Choose the model: a file, or the best one of a run. Raises `InputError` when there is none."""
        self._model = find_network(checkpoint, self.config.experiment.directory)

    def run(self) -> Episodes:
        """Play the games, print returns, lengths and their means, and return the games.

        Raises:
            InputError: no model was restored, it does not fit, or there is no display for the window.
        """
        if self._model is None:
            raise InputError(f"--play: expected {OPTION} with a run's folder or a model{self._newest()}")

        # A window shows one environment; without it, as many play at once as there are processors.
        games, config, size = self.run_settings.games, self.config, None
        if self.run_settings.render:
            require_display("player.render", "with render: false the games are played without a window")
            config, size = watched_config(config, show=True), 1

        settings = config.evaluation
        with tempfile.TemporaryDirectory() as logs, Environments(config, Path(logs)) as environments:
            size = size or environments.evaluation_size(games)
            venv = open_evaluation_environments(environments, config, size, settings.seed)
            model = build(config, venv, for_training=False)
            ModelFile.open(self._model).load_into(model)
            if self.job.sigma is not None:
                _set_sigma(model, self.job.sigma)
            with counted("playing", games, "games", self.job.progress) as progress:
                episodes = play_episodes(
                    model, venv, games, settings.seed, deterministic=settings.deterministic, progress=progress
                )
        self._print(episodes)
        return episodes

    def _print(self, episodes: Episodes) -> None:
        # The words of rl_games, which scripts of its users look for.
        lines = []
        if self.run_settings.print_games:
            for index, (reward, steps) in enumerate(zip(episodes.returns, episodes.lengths, strict=True)):
                won = "" if episodes.successes is None else f" w: {int(episodes.successes[index])}"
                lines.append(f"reward: {reward:.2f} steps: {steps}{won}")
        rate = "" if episodes.successes is None else f" winrate: {episodes.successes.mean():.3f}"
        lines.append(f"av reward: {episodes.returns.mean():.2f} av steps: {episodes.lengths.mean():.1f}{rate}")
        self.job.console.print("\n".join(lines), highlight=False, soft_wrap=True)

    def _newest(self) -> str:
        # By the time of its link, which is the start of the run.
        runs = self.run_settings.train_dir.glob("*/experiment")
        newest = max(runs, key=lambda link: link.lstat().st_mtime_ns, default=None)
        return "" if newest is None else f"; the newest run is {newest.parent}"


def make_a2c_player(job: Job) -> Player:
    """Make the player of rl_games' `a2c_continuous` and `a2c_discrete`, which are PPO."""
    return Player(job, "ppo")


def _set_sigma(model: BaseAlgorithm, sigma: float) -> None:
    """Set the logarithm of the actions' standard deviation, which matters for sampled actions."""
    deviation = getattr(model.policy, "log_std", None)
    if not isinstance(deviation, torch.nn.Parameter):
        raise InputError(f"--sigma: {type(model).__name__} on {model.action_space} has no deviation of its own")
    deviation.data.fill_(sigma)
