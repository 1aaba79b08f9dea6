"""Environments of Gymnasium, and those of `env_configurations`, as a run needs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import gymnasium
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs import atari, env_configurations, vecenv
from rl_pipeline.envs.atari import is_game, make_games
from rl_pipeline.envs.finite_vec_env import FiniteVecEnv
from rl_pipeline.envs.gymnasium_vec_env import GymnasiumVecEnv
from rl_pipeline.envs.mujoco_rendering import is_headless
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.process_vec_env import ProcessVecEnv
from rl_pipeline.envs.registration import drawing, faulty_environment, unsuitable_options
from rl_pipeline.envs.simulator_vec_env import SimulatorVecEnv
from rl_pipeline.errors import InputError
from rl_pipeline.players.rendering.mujoco_gl import import_mujoco

Made = TypeVar("Made")


def gymnasium_spaces(config: Config, env_id: str) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The observation and action space of one environment, which is made and closed.

    Raises:
        InputError: the environment cannot be made, or lacks what the configuration asks for.
    """
    import_mujoco()
    _check_plain(config, env_id)
    env = _made(config, lambda options: _one_environment(env_id, options), config.environment.horizon)
    env.close()
    return env.observation_space, env.action_space


def make_gymnasium_environments(
    config: Config,
    env_id: str,
    num_envs: int,
    seed: int,
    render_mode: str | None,
    horizon: int | None,
    *,
    for_training: bool,
) -> VecEnv:
    """Environments to be stepped here, or in as many processes as `simulation.environment_processes` says.

    Args:
        config: the run's configuration.
        env_id: of Gymnasium or of `env_configurations`.
        num_envs: their number.
        seed: of the first one's next episode.
        render_mode: how they are drawn; None: not at all.
        horizon: steps after which an episode is cut off; None: the environment's own.
        for_training: whether an agent learns in them; Atari games differ.

    Raises:
        InputError: they cannot be made.
    """
    import_mujoco()
    if render_mode == "rgb_array" and is_headless():
        # Environments drawn with pygame look for a display even so, and SDL complains that there is none.
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

    def make(options: dict[str, Any]) -> VecEnv:
        if env_id in env_configurations.configurations:
            return _configured(env_id, num_envs, seed, options)
        options = {**options, **drawing(env_id, render_mode)}
        kind = _kind_of_vec_env(config, env_id, num_envs)
        if is_game(env_id):
            return make_games(env_id, num_envs, seed, options, for_training=for_training, **kind)
        # By name, Stable-Baselines3 would ask for frames in any case; a process may not have registered the name.
        make_one = partial(gymnasium.make, gymnasium.spec(env_id))
        return make_vec_env(make_one, n_envs=num_envs, seed=seed, env_kwargs=options, **kind)

    return FiniteVecEnv(_made(config, make, horizon), env_id)


def _kind_of_vec_env(config: Config, env_id: str, num_envs: int) -> dict[str, Any]:
    """The arguments of `make_vec_env` that decide where environments are stepped."""
    arguments: dict[str, Any] = {"refuse": partial(faulty_environment, config)}
    processes = config.simulation.environment_processes
    if not processes or num_envs == 1:
        return {"vec_env_cls": GymnasiumVecEnv, "vec_env_kwargs": arguments}
    registering = [config.environment.id.rpartition(":")[0], atari.PACKAGE if is_game(env_id) else ""]
    modules = [*config.modules, *filter(None, registering)]
    return {"vec_env_cls": ProcessVecEnv, "vec_env_kwargs": {**arguments, "processes": processes, "modules": modules}}


def _configured(env_id: str, num_envs: int, seed: int, options: dict[str, Any]) -> VecEnv:
    """Environments that `env_configurations` has, by way of their type."""
    made = vecenv.create_vec_env(env_id, num_envs, **options)
    venv = made if isinstance(made, VecEnv) else SimulatorVecEnv(made, num_envs, env_id)
    venv.seed(seed)
    return venv


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
