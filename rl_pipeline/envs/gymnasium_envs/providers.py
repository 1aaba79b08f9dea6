"""Packages that register well-known environments when they are imported."""

from __future__ import annotations

import importlib.util
import re
import shlex
from typing import Final, NamedTuple

from rl_pipeline.errors import InputError

ATARI_PACKAGE: Final = "ale_py"


class Provider(NamedTuple):
    """A package by its name on PyPI, and the module that registers its environments."""

    distribution: str
    module: str


_PROVIDERS: Final[dict[str, Provider]] = {
    r"(MiniGrid|BabyAI)-": Provider("minigrid", "minigrid"),
    r"MiniWorld-": Provider("miniworld", "miniworld"),
    r"Fetch|Hand(Reach|Manipulate)|(Ant|Point)Maze|AdroitHand|FrankaKitchen": Provider(
        "gymnasium-robotics", "gymnasium_robotics"
    ),
    r"Panda(Reach|Push|Slide|PickAndPlace|Stack|Flip)": Provider("panda-gym", "panda_gym"),
    r"(highway|merge|roundabout|parking|intersection|racetrack)-(fast-)?v": Provider("highway-env", "highway_env"),
    r"Meta-World/": Provider("metaworld", "metaworld"),
    r"PyFlyt/": Provider("PyFlyt", "PyFlyt.gym_envs"),
    r"dm_control/": Provider("shimmy[dm-control]", "shimmy"),
    r"\w+BulletEnv-v0": Provider("pybullet_envs_gymnasium", "pybullet_envs_gymnasium"),
}
"""Provider by the beginning of its environments' ids, as a regular expression."""


def suggest_provider(env_id: str) -> str | None:
    """Say which package registers an environment, and how to install and import it; None for an unknown environment."""
    provider = next((each for start, each in _PROVIDERS.items() if re.match(start, env_id)), None)
    if provider is None:
        return None
    root = provider.module.partition(".")[0]
    install = "" if importlib.util.find_spec(root) else f"pip install {shlex.quote(provider.distribution)}, and "
    return f"the package {provider.distribution} registers it: {install}set modules=[{provider.module}]"


def register_atari_games(env_id: str) -> None:
    """Import the package that registers Atari games, since Gymnasium does not.

    Raises:
        InputError: `env_id` is an Atari game and the package is missing.
    """
    try:
        importlib.import_module(ATARI_PACKAGE)
    except ImportError:
        if env_id.startswith("ALE/") or "NoFrameskip-v" in env_id:
            raise InputError(f"environment.id: {env_id} needs ale-py: pip install 'rl-pipeline[atari]'") from None
