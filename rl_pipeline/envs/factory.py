"""The environments of a run: players for the tasks of this package, any other Gymnasium environment as it is."""

from __future__ import annotations

import logging
import os
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.backends.registration import check_backend
from rl_pipeline.config.schema import Config
from rl_pipeline.envs import env_configurations
from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.gymnasium_envs import gymnasium_spaces, make_gymnasium_environments
from rl_pipeline.envs.mujoco_rendering import working_render_mode
from rl_pipeline.envs.opponents import Opponents, check_adversarial
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.registration import (
    check_environment_id,
    faulty_environment,
    make_task,
    task_id,
)  # fmt: skip
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.service_contract import check_task, missing_abilities, needs_graphics
from rl_pipeline.envs.supported_spaces import space_problem
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.interfaces.multi_world import batched_service
from rl_pipeline.simulation.player_arguments import EMBEDDED, player_program
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.wrappers.wrapping import wrapped

logger = logging.getLogger(__name__)


def checked_spaces(config: Config) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The observation and action space of the configured environment, found without starting a simulator.

    Raises:
        InputError: the environment, its options, the backend or the build cannot be used.
    """
    check_backend(config.simulation)
    env_id = check_environment_id(config.environment.id)
    if task_id(env_id) is None:
        return _suitable(config, *gymnasium_spaces(config, env_id))
    task = make_task(env_id, **config.environment_options)
    check_task(task)
    EnvironmentParameters.of(task, config.environment.parameters)
    if config.training.self_play.enabled:
        check_adversarial(task, "training.self_play")
    if config.evaluation.opponent is not None:
        check_adversarial(task, "evaluation.opponent")
    if config.simulation.worlds_per_player > 1:
        batched_service(task.reset_service)
        batched_service(task.step_service)
    unity = config.simulation.unity
    if unity.launch:
        player_program(unity.build_path, task.scene, unity.arguments)
    return _suitable(config, task.observation_space, task.action_space)


class Environments:
    """Makes the vector environments of a run, and owns them with all their simulators.

    Args:
        config: the run's configuration.
        experiment_dir: where player logs go, under `players/`.

    Raises:
        InputError: the environment, its options or the simulation's settings are wrong.
    """

    def __init__(self, config: Config, experiment_dir: Path) -> None:
        self._config = config
        self._env_id = check_environment_id(config.environment.id)
        self._opened: list[VecEnv] = []
        self._simulation: Simulation | None = None
        self._log_directory = ExperimentFolder(experiment_dir).players
        check_backend(config.simulation)

    def __enter__(self) -> Environments:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def training(self, opponents: Opponents | None = None) -> VecEnv:
        """The environments that the agent learns in; frames of the first can be asked for when videos are wanted.

        In these alone, `opponents` play against the agent, and the lessons of `parameters` count.
        """
        config = self._config
        return self._open(
            config.simulation.n_environments,
            config.training.seed,
            config.environment.video_wrapper,
            self.parameters,
            opponents,
            for_training=True,
        )

    @cached_property
    def parameters(self) -> EnvironmentParameters:
        """The parameters of the training's episodes."""
        settings = self._config.environment.parameters
        if task_id(self._env_id) is None:
            return EnvironmentParameters((), settings, self._env_id)
        return EnvironmentParameters.of(self._task, settings)

    @cached_property
    def _task(self) -> Task:
        task = make_task(self._env_id, **self._config.environment_options)
        check_task(task)
        for sentence in missing_abilities(task).values():
            logger.warning("%s", sentence)
        return task

    @property
    def missing_frames(self) -> str:
        """Why no frames can be had of players; empty: they can, or the environment has no players."""
        return missing_abilities(self._task).get("frames", "") if task_id(self._env_id) is not None else ""

    @cached_property
    def _render_mode(self) -> str | None:
        """Render mode of environments without players; a simulator's decide themselves."""
        wish = self._config.environment.render_mode
        if self._env_id in env_configurations.configurations:
            return wish
        return working_render_mode(self._env_id, wish)

    @property
    def simulation(self) -> Simulation:
        """Where the players are, once there are any."""
        assert self._simulation is not None, "no environments on players were opened"
        return self._simulation

    @property
    def shares_players(self) -> bool:
        """Whether evaluations play on the training's players, because no more can be started from here.

        An evaluation then ends the training's episodes.
        """
        return task_id(self._env_id) is not None and not self._config.simulation.unity.launch

    def evaluation_size(self, episodes: int) -> int:
        """How many environments to play so many episodes in.

        The embedded player is light: as many as there are cores, and four at least, whose waits overlap. Of a build
        that may be heavy, no more than training was given. With several worlds a player, enough players for that.
        """
        simulation = self._config.simulation
        light = simulation.unity.build_path == EMBEDDED and simulation.unity.launch
        size = min(episodes, max(4, os.cpu_count() or 1) if light else simulation.n_environments)
        worlds = simulation.worlds_per_player
        return -(-size // worlds) * worlds

    def evaluation(self, num_envs: int, seed: int) -> VecEnv:
        """Environments to judge an agent in, with players of their own that stay for the next evaluation.

        If their number is no multiple of the worlds of a player, as with the one that `play` watches, their players
        have one world each. Every curriculum is at its last lesson, and `evaluation.opponent` plays against the agent.
        """
        from rl_pipeline.evaluation.trained_opponent import evaluation_opponent  # which needs this module

        frames = self._config.environment.render_mode is not None
        opponent = evaluation_opponent(self._config, num_envs)
        venv = self._open(num_envs, seed, frames, self.parameters.at_last_lesson(), opponent)
        return wrapped(self._config, venv, training=False)

    def close(self) -> None:
        """End every environment and player; safe to call twice."""
        while self._opened:
            self._opened.pop().close()
        if self._simulation is not None:
            self._simulation.close()
            self._simulation = None

    def _open(
        self,
        num_envs: int,
        seed: int,
        frames: bool,
        parameters: EnvironmentParameters,
        opponents: Opponents | None = None,
        *,
        for_training: bool = False,
    ) -> VecEnv:
        config = self._config
        in_halves = for_training and config.training.double_buffer
        horizon = (None if for_training else config.evaluation.horizon) or config.environment.horizon
        if task_id(self._env_id):
            venv: VecEnv = self._players(
                num_envs, seed, frames, parameters, opponents, in_halves=in_halves, horizon=horizon
            )
        else:
            venv = make_gymnasium_environments(
                self._config, self._env_id, num_envs, seed, self._render_mode, horizon, for_training=for_training
            )
        self._opened.append(venv)
        return venv

    def _players(
        self,
        num_envs: int,
        seed: int,
        frames: bool,
        parameters: EnvironmentParameters,
        opponents: Opponents | None,
        *,
        in_halves: bool,
        horizon: int | None,
    ) -> PlayerVecEnv | DoubleBufferedVecEnv:
        task = self._task
        if self._simulation is None:
            self._simulation = Simulation(self._config.simulation, task.scene, self._log_directory, seed=seed)
        worlds = self._config.simulation.worlds_per_player
        if num_envs % worlds:
            worlds = 1
        count = num_envs // worlds
        if self.shares_players and self._opened:
            first = self._opened[0]
            assert isinstance(first, PlayerVecEnv | DoubleBufferedVecEnv)
            players = first.players[:count]
        else:
            filmed = range(count) if needs_graphics(task, frames) else ()
            players = self._simulation.start(count, frames=filmed, worlds=worlds, image=task.image)
        make = partial(
            PlayerVectorEnv, task, self._simulation, frames=frames, horizon=horizon, worlds=worlds,
            invalid_states=self._log_directory.with_name("invalid_states"), parameters=parameters, opponents=opponents,
            seed_stride=num_envs,
        )  # fmt: skip
        if not in_halves:
            return PlayerVecEnv(make(num_envs, seed=seed, players=players))
        half = num_envs // 2
        following = make(half, seed=seed, players=players[: count // 2])
        leading = make(half, seed=seed + half, players=players[count // 2 :])
        return DoubleBufferedVecEnv(PlayerVecEnv(following), PlayerVecEnv(leading))


def _suitable(
    config: Config, observation: spaces.Space[Any], action: spaces.Space[Any]
) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The spaces, if there are algorithms for them. Raises `InputError` otherwise."""
    if (problem := space_problem(observation, action)) is not None:
        raise faulty_environment(config, problem)
    return observation, action
