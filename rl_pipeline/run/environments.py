"""The environments of a run: players for the tasks of this package, any other Gymnasium environment as it is."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import gymnasium
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs import env_configurations, vecenv
from rl_pipeline.envs.atari import is_game, make_games
from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.finite_vec_env import FiniteVecEnv
from rl_pipeline.envs.gymnasium_vec_env import GymnasiumVecEnv
from rl_pipeline.envs.mujoco_rendering import is_headless, working_render_mode
from rl_pipeline.envs.opponents import Opponents, check_adversarial
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.registration import (
    check_environment_id,
    drawing,
    faulty_environment,
    make_task,
    task_id,
    unsuitable_options,
)  # fmt: skip
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.service_contract import check_task, missing_abilities, needs_graphics
from rl_pipeline.envs.simulator_vec_env import SimulatorVecEnv
from rl_pipeline.envs.supported_spaces import space_problem
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.interfaces.batched import batched_service
from rl_pipeline.mujoco_gl import import_mujoco
from rl_pipeline.run.wrapping import wrapped
from rl_pipeline.simulation.backends import check_backend
from rl_pipeline.simulation.command_line import EMBEDDED, player_program
from rl_pipeline.simulation.simulation import Simulation

logger = logging.getLogger(__name__)

Made = TypeVar("Made")


def checked_spaces(config: Config) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The observation and action space of the configured environment, found without starting a simulator.

    Raises:
        InputError: the environment, its options, the backend or the build cannot be used.
    """
    check_backend(config.simulation)
    env_id = check_environment_id(config.environment.id)
    if task_id(env_id) is None:
        import_mujoco()
        _check_plain(config, env_id)
        env = _made(config, lambda options: _one_environment(env_id, options), config.environment.horizon)
        env.close()
        return _suitable(config, env.observation_space, env.action_space)
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
        """How environments without players are drawn, which those of a simulator decide themselves."""
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
        from rl_pipeline.run.trained_opponent import evaluation_opponent  # which needs this module

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
            venv = self._gymnasium(num_envs, seed, for_training, horizon)
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

    def _gymnasium(self, num_envs: int, seed: int, for_training: bool, horizon: int | None) -> VecEnv:
        import_mujoco()
        render_mode = self._render_mode
        if render_mode == "rgb_array" and is_headless():
            # Environments drawn with pygame look for a display even so, and SDL complains that there is none.
            os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

        def make(options: dict[str, Any]) -> VecEnv:
            if self._env_id in env_configurations.configurations:
                return _configured(self._env_id, num_envs, seed, options)
            options = {**options, **drawing(self._env_id, render_mode)}
            vec_env: dict[str, Any] = {
                "vec_env_cls": GymnasiumVecEnv,
                "vec_env_kwargs": {"refuse": partial(faulty_environment, self._config)},
            }
            if is_game(self._env_id):
                return make_games(self._env_id, num_envs, seed, options, for_training=for_training, **vec_env)
            # By name, Stable-Baselines3 would ask for frames in any case.
            make_one = partial(gymnasium.make, self._env_id)
            return make_vec_env(make_one, n_envs=num_envs, seed=seed, env_kwargs=options, **vec_env)

        return FiniteVecEnv(_made(self._config, make, horizon), self._env_id)


def _configured(env_id: str, num_envs: int, seed: int, options: dict[str, Any]) -> VecEnv:
    """Environments that `env_configurations` has, by way of their type."""
    made = vecenv.create_vec_env(env_id, num_envs, **options)
    venv = made if isinstance(made, VecEnv) else SimulatorVecEnv(made, num_envs, env_id)
    venv.seed(seed)
    return venv


def _suitable(
    config: Config, observation: spaces.Space[Any], action: spaces.Space[Any]
) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The spaces, if there are algorithms for them. Raises `InputError` otherwise."""
    if (problem := space_problem(observation, action)) is not None:
        raise faulty_environment(config, problem)
    return observation, action


def _one_environment(env_id: str, options: dict[str, Any]) -> gymnasium.Env[Any, Any] | VecEnv:
    if env_id in env_configurations.configurations:
        return _configured(env_id, 1, 0, options)
    if is_game(env_id):
        return make_games(env_id, 1, 0, options, for_training=False)
    return gymnasium.make(env_id, **options)


def _check_plain(config: Config, env_id: str) -> None:
    """Raise InputError when an environment without players is asked for what only tasks have."""
    EnvironmentParameters((), config.environment.parameters, env_id)
    opposed = {
        "training.self_play": config.training.self_play.enabled,
        "evaluation.opponent": config.evaluation.opponent,
    }
    if where := next((key for key, value in opposed.items() if value), None):
        raise InputError(f"{where}: expected a task with an opponent, such as Duel-v0, found {env_id}")
    if config.training.double_buffer:
        raise InputError(f"training.double_buffer: expected an environment on players, found {env_id}")


def _made(config: Config, make: Callable[[dict[str, Any]], Made], horizon: int | None) -> Made:
    """Call `make` with the environment's keyword arguments; its complaints about them become `InputError`."""
    environment = config.environment
    given = config.environment_options
    limit = {} if horizon is None else {"max_episode_steps": horizon}
    try:
        return make({**given, **limit})
    except ModuleNotFoundError as error:
        raise InputError(
            f"environment.id: {environment.id} needs the package {error.name}, which is not installed"
        ) from error
    except (gymnasium.error.Error, ImportError) as error:
        raise InputError(f"environment.id: {environment.id} cannot be made: {error}") from error
    except (TypeError, ValueError, KeyError, AssertionError) as error:
        if not given:
            raise
        raise unsuitable_options(environment.id, given, error) from error
