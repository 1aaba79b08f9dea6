"""Scenes of the embedded player by name: those of this package, and those that modules of the user's own register.

Imports nothing but the standard library: the trainer looks names up here, and so does the launcher of players.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rl_pipeline.errors import InputError, suggestion

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene

BUILT_IN: Final = ("duel", "navigation")
MODULE: Final = "rl_pipeline.players"
"""Runs a scene of one's own, given by `--scene`."""

_SCENES: Final[dict[str, str]] = {}


def register_scene(name: str, scene: str | type[Scene]) -> None:
    """Make a scene known to the embedded player, so that tasks of that `scene` can be trained without a build.

    Args:
        name: what the scene's own `name` is, and the `scene` of its tasks.
        scene: its class, or where that is, as `module:Class`; players import that module. Made with a sample time (s)
            and a seed.

    Raises:
        ValueError: the name is taken by another scene, or is not the class's own.
    """
    if not isinstance(scene, str):
        if scene.name != name:
            raise ValueError(f"scene {name!r}: its class is named {scene.name!r}")
        scene = f"{scene.__module__}:{scene.__qualname__}"
    if name in BUILT_IN or _SCENES.setdefault(name, scene) != scene:
        raise ValueError(f"scene {name!r} is registered already, as {_SCENES.get(name, f'{MODULE}.{name}')}")


def scene_arguments(scene: str) -> list[str]:
    """Arguments of `python -m` that simulate a scene.

    Args:
        scene: a name, or `module:Class`.

    Raises:
        InputError: no scene has this name.
    """
    if scene in BUILT_IN:
        return [f"{MODULE}.{scene}"]
    location = scene if ":" in scene else _SCENES.get(scene)
    if location is None:
        raise InputError(
            f"unity.build_path: the embedded player has no scene {scene!r}{suggestion(scene, [*BUILT_IN, *_SCENES])} "
            f"Set unity.build_path to a build of it, or name a module under `modules` that registers it"
        )
    return [MODULE, "--scene", location, "--scene-folder", str(_folder(location.partition(":")[0]))]


def _folder(module: str) -> Path:
    """The folder from which a module can be imported."""
    top = module.partition(".")[0]
    if top in sys.modules:
        specification = sys.modules[top].__spec__
    elif module.endswith(".py"):
        return Path.cwd()
    else:
        specification = importlib.util.find_spec(top)
    if specification is None:
        return Path.cwd()
    if specification.submodule_search_locations:
        return Path(next(iter(specification.submodule_search_locations))).absolute().parent
    return Path(specification.origin or "").absolute().parent
