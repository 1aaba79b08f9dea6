"""Registry of the scenes of the embedded player.

The trainer looks names up here, and so does the launcher of players, on Python 3.9 and without MuJoCo. Entries are
import paths; only players import them.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rl_pipeline.errors import InputError, suggestion
from rl_pipeline.registry import Registry

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene

PLAYER_MODULE: Final = "rl_pipeline.players"
"""Module that runs the player of any scene, given by `--scene`."""
BUILT_IN: Final = ("duel", "navigation")
"""Scenes with a player module of their own, `rl_pipeline.players.<scene>`."""

SCENES: Final[Registry[type[Scene]]] = Registry("scene", "unity.build_path")
for _name, _class in (("duel", "DuelScene"), ("navigation", "NavigationScene")):
    SCENES.register(_name, f"{PLAYER_MODULE}.{_name}.scene:{_class}")


def register_scene(name: str, scene: str | type[Scene]) -> None:
    """Register a scene of the embedded player, so that tasks of this scene can be trained without a build.

    Args:
        name: the scene's own `name`, which is also the `scene` of its tasks.
        scene: its class, or the import path of its class, as `module:Class`. Players import the module, and make the
            scene with a sample time (s) and a seed.

    Raises:
        InputError: the name belongs to another scene, or the class has another name.
    """
    if not isinstance(scene, str):
        if scene.name != name:
            raise InputError(f"scene {name!r}: its class is named {scene.name!r}")
        # Players are other processes: they need the import path.
        scene = f"{scene.__module__}:{scene.__qualname__}"
    SCENES.register(name, scene)


def scene_arguments(scene: str) -> list[str]:
    """Return the arguments of `python -m` that run a player of a scene.

    Args:
        scene: a name, or an import path as `module:Class`.

    Raises:
        InputError: no scene has this name.
    """
    if scene in BUILT_IN:
        return [f"{PLAYER_MODULE}.{scene}"]
    if ":" in scene:
        location = scene
    elif scene in SCENES:
        location = str(SCENES.target(scene))
    else:
        raise InputError(
            f"unity.build_path: the embedded player has no scene {scene!r}{suggestion(scene, SCENES)} "
            f"Set unity.build_path to a build of it, or name a module under `modules` that registers it"
        )
    # A player is another process: it needs the folder that this one imported the module from.
    folder = _import_folder(location.partition(":")[0])
    return [PLAYER_MODULE, "--scene", location, "--scene-folder", str(folder)]


def _import_folder(module: str) -> Path:
    """Return the folder from which a module can be imported."""
    top = module.partition(".")[0]
    if top in sys.modules:
        specification = sys.modules[top].__spec__
    elif module.endswith(".py"):
        return Path.cwd()
    else:
        specification = importlib.util.find_spec(top)
    if specification is None:
        return Path.cwd()
    # The parent of a package's folder, or the folder of a module's file.
    if specification.submodule_search_locations:
        return Path(next(iter(specification.submodule_search_locations))).absolute().parent
    return Path(specification.origin or "").absolute().parent
