"""Settings of `environment` from `env_name` and `env_config`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final

import gymnasium

from rl_pipeline.envs.registration import CONFIGURATIONS, check_environment_id
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader

GENERIC: Final = ("openai_gym", "gymnasium", "atari_gym", "atari_gymnasium", "envpool", "minigrid_env")
"""Values of `env_name` for the Gymnasium environment named by `env_config.name` or `env_config.env_name`."""
ABSENT: Final = (
    "brax",
    "connect4_env",
    "craftax",
    "cule",
    "diambra",
    "dm_control",
    "dm_soccer_ant",
    "maniskill",
    "multiwalker_env",
    "myo_gym",
    "openai_robot_gym",
    "rlgpu",
    "slime_gym",
    "smac",
    "smac_cnn",
    "smac_v2",
    "test_env",
)
"""Values of `env_name` for simulators of rl_games, IsaacGymEnvs or Isaac Lab that this project lacks."""

_GAME_OPTIONS: Final[Mapping[str, Container[Any]]] = {
    "skip": (4,),
    "frames": (4,),
    "episode_life": (True,),
    "episodic_life": (True,),
    "has_lives": (True, False),
    "wrap_impala": (False,),
    "sticky": (False,),
    "use_async": (True, False),
    "use_dict_obs_space": (False,),
    "name": ANY,
    "env_name": ANY,
}
"""Keys of the preprocessing of games in rl_games, with the values that this project uses."""
_GENERIC_OPTIONS: Final[Mapping[str, Container[Any]]] = {
    "flat_observation": (True,),
    "flatten_obs": (True,),
    "use_dict_obs_space": (False,),
    "limit_steps": (False,),
    "procgen": (False,),
    "use_async": (True, False),
    "ray_config": (None,),
}
"""Keys that creators of rl_games do not pass to the environment, with the values of this project."""


def read_environment(config: SectionReader, seed: int) -> tuple[dict[str, Any], int]:
    """Read the settings of `environment`, and the number of stacked observations.

    Args:
        config: the section `params.config`.
        seed: seed of the run.

    Raises:
        InputError: there is no such environment here.
    """
    # A generic name says the library; the environment has its name in env_config.
    name, where = config.text("env_name"), config.where("env_name")
    options = config.section("env_config")
    generic = name in GENERIC and name not in CONFIGURATIONS
    if generic:
        given = [key for key in ("name", "env_name") if options.text(key, None)]
        key = given[0] if given else "name"
        name, where = options.text(key), options.where(key)

    # Options of rl_games' wrappers are read here, the rest goes to the environment.
    name, known = _find(name, where)
    frames, horizon = 1, None
    if known not in CONFIGURATIONS:
        _leave_seed(options, seed)
        horizon = options.whole("steps_limit", None, least=1)
    if known.startswith("ALE/") or "NoFrameskip-v" in known:
        _leave(options, _GAME_OPTIONS, "games are preprocessed as Machado et al. (2018) do")
    elif generic:
        frames = options.whole("frames", 1, least=1)
        _leave(options, _GENERIC_OPTIONS, "has no counterpart")

    # A registered simulator chooses its render mode itself, which is unknown before it is built.
    drawn = None if known in CONFIGURATIONS else "rgb_array"
    arguments = options.rest(())
    settings = {"id": name, "env_config": arguments or None, "render_mode": drawn, "video_wrapper": False}
    return {**settings, "horizon": horizon}, frames


def _find(name: str, where: str) -> tuple[str, str]:
    """Return the id to configure, perhaps with a module before it, and the registered id.

    Games are found without their namespace, as EnvPool names them.
    """
    # A user may have registered an environment under a name of rl_games.
    if name in ABSENT and name not in CONFIGURATIONS:
        raise InputError(
            f"{where}: {name!r} stands for a simulator that does not come with this project; register yours under "
            "that name, with env_configurations.register in a module of params.import_modules"
        )
    try:
        return name, check_environment_id(name)
    except InputError as error:
        # The error keeps its valid names, and gets the key of this file.
        game = f"ALE/{name}"
        if game in gymnasium.registry:
            return game, game
        if isinstance(error, UnknownNameError):
            raise UnknownNameError("environment", name, error.valid, where) from None
        raise InputError(f"{where}: {str(error).removeprefix('environment.id: ')}") from None


def _leave_seed(options: SectionReader, seed: int) -> None:
    own = options.whole("seed", seed)
    if own != seed:
        options.leave("seed", f"not used: environments are seeded by params.seed, {seed}")


def _leave(options: SectionReader, neutral: Mapping[str, Container[Any]], why: str) -> None:
    for name, values in neutral.items():
        if name in options and (value := options.value(name)) not in values:
            options.leave(name, f"{value} is not used: {why}")
        else:
            options.value(name, None)
