"""Construction of environments without players: those of Gymnasium, and those registered with a type."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import gymnasium
from gymnasium import spaces
from gymnasium.envs.registration import load_env_creator
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.gymnasium_envs.atari import is_atari_game, make_atari_games
from rl_pipeline.envs.gymnasium_envs.finite_vec_env import FiniteVecEnv
from rl_pipeline.envs.gymnasium_envs.gymnasium_vec_env import GymnasiumVecEnv
from rl_pipeline.envs.gymnasium_envs.mujoco_rendering import is_headless
from rl_pipeline.envs.gymnasium_envs.process_vec_env import ProcessVecEnv
from rl_pipeline.envs.gymnasium_envs.providers import ATARI_PACKAGE
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.registration import CONFIGURATIONS, faulty_environment, unsuitable_options
from rl_pipeline.envs.simulator_vec_env import SimulatorVecEnv
from rl_pipeline.envs.vec_env_types import create_vec_env
from rl_pipeline.errors import InputError
from rl_pipeline.players.rendering.gl_backend import import_mujoco

Env = TypeVar("Env")


def gymnasium_spaces(config: Config, env_id: str) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """Return the observation and action space of one environment, which is made and closed.

    Raises:
        InputError: the environment cannot be made, or the configuration asks for abilities that only tasks have.
    """
    import_mujoco()
    _refuse_task_settings(config, env_id)
    env = _make_with_options(config, lambda options: _make_one(env_id, options), config.environment.horizon)
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
    """Make environments that are stepped here, or in as many processes as `simulation.environment_processes` says.

    Args:
        config: the run's configuration.
        env_id: of Gymnasium or of a registered environment.
        num_envs: their number.
        seed: of the first one's next episode.
        render_mode: render mode of Gymnasium; None: they are not drawn.
        horizon: steps after which an episode is cut off; None: the environment's own.
        for_training: True if an agent learns in them; Atari games differ.

    Raises:
        InputError: they cannot be made.
    """
    import_mujoco()
    if render_mode == "rgb_array" and is_headless():
        # Environments drawn with pygame look for a display even so, and SDL complains that there is none.
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

    def make(options: dict[str, Any]) -> VecEnv:
        if env_id in CONFIGURATIONS:
            return _make_registered(env_id, num_envs, seed, options)
        options = {**options, **render_option(env_id, render_mode)}
        kind = _vec_env_arguments(config, env_id, num_envs)
        if is_atari_game(env_id):
            return make_atari_games(env_id, num_envs, seed, options, for_training=for_training, **kind)
        # Given the name, Stable-Baselines3 would ask for frames in any case; a process may not have registered it.
        make_env = partial(gymnasium.make, gymnasium.spec(env_id))
        return make_vec_env(make_env, n_envs=num_envs, seed=seed, env_kwargs=options, **kind)

    return FiniteVecEnv(_make_with_options(config, make, horizon), env_id)


def render_option(env_id: str, render_mode: str | None) -> dict[str, Any]:
    """Return the argument `render_mode` for a Gymnasium environment; empty if its class takes none."""
    entry_point = gymnasium.spec(env_id).entry_point
    if render_mode is None or entry_point is None:
        return {}
    creator = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    parameters = inspect.signature(creator).parameters.values()
    if any(each.name == "render_mode" or each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return {"render_mode": render_mode}
    return {}


def _vec_env_arguments(config: Config, env_id: str, num_envs: int) -> dict[str, Any]:
    """Return the arguments of `make_vec_env` that choose between this process and worker processes."""
    arguments: dict[str, Any] = {"make_error": partial(faulty_environment, config)}
    processes = config.simulation.environment_processes
    if not processes or num_envs == 1:
        return {"vec_env_cls": GymnasiumVecEnv, "vec_env_kwargs": arguments}
    # A worker imports the modules that register the environment.
    registering = [config.environment.id.rpartition(":")[0], ATARI_PACKAGE if is_atari_game(env_id) else ""]
    modules = [*config.modules, *filter(None, registering)]
    return {"vec_env_cls": ProcessVecEnv, "vec_env_kwargs": {**arguments, "processes": processes, "modules": modules}}


def _make_registered(env_id: str, num_envs: int, seed: int, options: dict[str, Any]) -> VecEnv:
    """Make environments of `CONFIGURATIONS` by their type."""
    env = create_vec_env(env_id, num_envs, **options)
    venv = env if isinstance(env, VecEnv) else SimulatorVecEnv(env, num_envs, env_id)
    venv.seed(seed)
    return venv


def _make_one(env_id: str, options: dict[str, Any]) -> gymnasium.Env[Any, Any] | VecEnv:
    """Make one environment, as raw as its spaces allow."""
    if env_id in CONFIGURATIONS:
        return _make_registered(env_id, 1, 0, options)
    if is_atari_game(env_id):
        return make_atari_games(env_id, 1, 0, options, for_training=False)
    return gymnasium.make(env_id, **options)


def _refuse_task_settings(config: Config, env_id: str) -> None:
    """Raise InputError when the configuration asks an environment without players for abilities of tasks."""
    EnvironmentParameters((), config.environment.parameters, env_id)
    opponents = {
        "training.self_play": config.training.self_play.enabled,
        "evaluation.opponent": config.evaluation.opponent,
    }
    if where := next((key for key, value in opponents.items() if value), None):
        raise InputError(f"{where}: expected a task with an opponent, such as Duel-v0, found {env_id}")
    if config.training.double_buffer:
        raise InputError(f"training.double_buffer: expected an environment on players, found {env_id}")


def _make_with_options(config: Config, make: Callable[[dict[str, Any]], Env], horizon: int | None) -> Env:
    """Call `make` with the environment's keyword arguments, turning its complaints about them into `InputError`."""
    environment = config.environment
    options = config.environment_options
    limit = {} if horizon is None else {"max_episode_steps": horizon}
    try:
        return make({**options, **limit})
    except ModuleNotFoundError as error:
        raise InputError(
            f"environment.id: {environment.id} needs the package {error.name}, which is not installed"
        ) from error
    except (gymnasium.error.Error, ImportError) as error:
        raise InputError(f"environment.id: {environment.id} cannot be made: {error}") from error
    except (TypeError, ValueError, KeyError, AssertionError) as error:
        # Without options the fault is not one of the configuration.
        if not options:
            raise
        raise unsuitable_options(environment.id, options, error) from error
