"""The environments of a run: on players for tasks, and any other environment of Gymnasium as it is."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.backends.registration import check_backend
from rl_pipeline.config.schema import Config
from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.gymnasium_envs.construction import gymnasium_spaces, make_gymnasium_environments
from rl_pipeline.envs.gymnasium_envs.mujoco_rendering import working_render_mode
from rl_pipeline.envs.opponents import Opponents, check_adversarial
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.registration import CONFIGURATIONS, check_environment_id, faulty_environment, make_task, task_id
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.spaces import space_problem
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.task_checks import check_task, missing_abilities, needs_graphics
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.interfaces.multi_world import batched_service
from rl_pipeline.simulation.player_arguments import EMBEDDED, player_program
from rl_pipeline.simulation.simulation import Simulation

logger = logging.getLogger(__name__)

MIN_EVALUATION_SIZE = 4
"""Embedded players of an evaluation, at least: their waits overlap even on fewer cores."""


def resolve_spaces(config: Config) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """Return the observation and action space of the configured environment, without starting a simulator.

    Raises:
        InputError: the environment, its options, the backend or the build cannot be used.
    """
    # Names first, then the settings that depend on the environment.
    check_backend(config.simulation)
    env_id = check_environment_id(config.environment.id)
    if task_id(env_id) is None:
        observation, action = gymnasium_spaces(config, env_id)
    else:
        task = make_task(env_id, **config.environment_options)
        _check_task_settings(config, task)
        observation, action = task.observation_space, task.action_space
    # Spaces that no algorithm can use.
    if (problem := space_problem(observation, action)) is not None:
        raise faulty_environment(config, problem)
    return observation, action


def _check_task_settings(config: Config, task: Task) -> None:
    """Raise InputError unless the settings of environment, opponents and simulation suit a task."""
    check_task(task)
    EnvironmentParameters.of(task, config.environment.parameters)
    if config.training.self_play.enabled:
        check_adversarial(task, "training.self_play")
    if config.evaluation.opponent is not None:
        check_adversarial(task, "evaluation.opponent")
    # Players of several worlds offer batched services.
    if config.simulation.worlds_per_player > 1:
        batched_service(task.reset_service)
        batched_service(task.step_service)
    unity = config.simulation.unity
    if unity.launch:
        player_program(unity.build_path, task.scene, unity.arguments)


class Environments:
    """Factory of the vector environments of a run, and owner of them and all their simulators.

    Wrappers are not part of it: training and evaluation wrap their environments themselves.

    Args:
        config: the run's configuration.
        directory: folder for the logs of players (in `players/`) and for invalid states (in `invalid_states/`).

    Raises:
        InputError: the environment, its options or the simulation's settings are wrong.
    """

    def __init__(self, config: Config, directory: Path) -> None:
        self._config = config
        self._directory = directory
        self._env_id = check_environment_id(config.environment.id)
        self._opened: list[VecEnv] = []
        self._simulation: Simulation | None = None
        check_backend(config.simulation)

    def __enter__(self) -> Environments:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def training(self, opponents: Opponents | None = None) -> VecEnv:
        """Open the environments that the agent learns in, in which the lessons of `parameters` count.

        Frames of the first one can be asked for when videos are wanted.

        Args:
            opponents: agents that play against the agent; None: the scene does.
        """
        config = self._config
        seed, num_envs = config.training.seed, config.simulation.n_environments
        if task_id(self._env_id) is None:
            return self._open_gymnasium(num_envs, seed, config.environment.horizon, for_training=True)
        # The present lessons are shared with the curriculum, which changes them.
        settings = BatchSettings(
            frames=config.environment.video_wrapper,
            horizon=config.environment.horizon,
            parameters=self.parameters,
            opponents=opponents,
        )
        return self._open_players(num_envs, seed, settings, in_halves=config.training.double_buffer)

    def evaluation(self, num_envs: int, seed: int, opponents: Opponents | None = None) -> VecEnv:
        """Open environments to evaluate an agent in, on players of their own that stay for the next evaluation.

        If N is not a multiple of the worlds of a player, as with the single one that `play` watches, their players have
        one world each. Every curriculum is at its last lesson.

        Args:
            num_envs: N.
            seed: of the first episode.
            opponents: agents that play against the agent; None: the scene does.
        """
        config = self._config
        horizon = config.evaluation.horizon or config.environment.horizon
        if task_id(self._env_id) is None:
            return self._open_gymnasium(num_envs, seed, horizon, for_training=False)
        # Evaluations do not depend on the progress of a curriculum.
        settings = BatchSettings(
            frames=config.environment.render_mode is not None,
            horizon=horizon,
            parameters=self.parameters.at_last_lesson(),
            opponents=opponents,
        )
        return self._open_players(num_envs, seed, settings)

    def evaluation_size(self, episodes: int) -> int:
        """Return the number of environments to play so many episodes in.

        The embedded player is light: as many as there are cores, and at least `MIN_EVALUATION_SIZE`. Of a build that
        may be heavy, no more than training was given. With several worlds per player, enough players for that.
        """
        simulation = self._config.simulation
        is_light = simulation.unity.build_path == EMBEDDED and simulation.unity.launch
        limit = max(MIN_EVALUATION_SIZE, os.cpu_count() or 1) if is_light else simulation.n_environments
        worlds = simulation.worlds_per_player
        return -(-min(episodes, limit) // worlds) * worlds

    @cached_property
    def parameters(self) -> EnvironmentParameters:
        """The parameters of the training's episodes."""
        settings = self._config.environment.parameters
        if task_id(self._env_id) is None:
            return EnvironmentParameters((), settings, self._env_id)
        return EnvironmentParameters.of(self._task, settings)

    @property
    def missing_frames(self) -> str:
        """The reason why players send no frames; empty: they can, or the environment has no players."""
        return missing_abilities(self._task).get("frames", "") if task_id(self._env_id) is not None else ""

    @property
    def simulation(self) -> Simulation:
        """The simulation of the players, once environments are open."""
        assert self._simulation is not None, "no environments on players were opened"
        return self._simulation

    @property
    def shares_players(self) -> bool:
        """True if evaluations play on the training's players, because no more can be started from here.

        An evaluation then ends the training's episodes.
        """
        return task_id(self._env_id) is not None and not self._config.simulation.unity.launch

    def close(self) -> None:
        """End every environment and player; safe to call twice."""
        while self._opened:
            self._opened.pop().close()
        if self._simulation is not None:
            self._simulation.close()
            self._simulation = None

    @cached_property
    def _task(self) -> Task:
        task = make_task(self._env_id, **self._config.environment_options)
        check_task(task)
        for sentence in missing_abilities(task).values():
            logger.warning("%s", sentence)
        return task

    @cached_property
    def _render_mode(self) -> str | None:
        """Render mode of environments without players; environments with a type decide themselves."""
        wish = self._config.environment.render_mode
        return wish if self._env_id in CONFIGURATIONS else working_render_mode(self._env_id, wish)

    def _open_gymnasium(self, num_envs: int, seed: int, horizon: int | None, *, for_training: bool) -> VecEnv:
        """Open environments without players."""
        venv = make_gymnasium_environments(
            self._config, self._env_id, num_envs, seed, self._render_mode, horizon, for_training=for_training
        )
        self._opened.append(venv)
        return venv

    def _open_players(
        self, num_envs: int, seed: int, settings: BatchSettings, *, in_halves: bool = False
    ) -> PlayerVecEnv | DoubleBufferedVecEnv:
        """Open environments on players, which are started unless those of the training are shared."""
        # One simulation for all environments of the run.
        if self._simulation is None:
            logs = self._directory / "players"
            self._simulation = Simulation(self._config.simulation, self._task.scene, logs, seed=seed)
        worlds = self._config.simulation.worlds_per_player
        worlds = 1 if num_envs % worlds else worlds
        players = self._find_players(num_envs // worlds, worlds, frames=settings.frames)

        def make(count: int, first_seed: int, players: list[int]) -> PlayerVecEnv:
            own = replace(settings, players=players, worlds=worlds, invalid_states=self._directory / "invalid_states")
            env = PlayerVectorEnv(self._task, self.simulation, count, own, seed=first_seed, seed_stride=num_envs)
            return PlayerVecEnv(env)

        # Two halves take turns with double buffering.
        venv: PlayerVecEnv | DoubleBufferedVecEnv
        if in_halves:
            half, middle = num_envs // 2, len(players) // 2
            venv = DoubleBufferedVecEnv(make(half, seed, players[:middle]), make(half, seed + half, players[middle:]))
        else:
            venv = make(num_envs, seed, players)
        self._opened.append(venv)
        return venv

    def _find_players(self, count: int, worlds: int, *, frames: bool) -> list[int]:
        """Start players, or take those of the training if players are shared; returns their environment ids."""
        if self.shares_players and self._opened:
            training = self._opened[0]
            assert isinstance(training, PlayerVecEnv | DoubleBufferedVecEnv)
            return training.players[:count]
        filmed = range(count) if needs_graphics(self._task, frames) else ()
        return self.simulation.start(count, frames=filmed, worlds=worlds, image=self._task.image)
