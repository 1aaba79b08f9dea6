"""Number of environments: an experiment file that names a number outweighs config.yml, which is for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rl_pipeline.config.layers import Layer, Merged

KEY: Final = ("simulation", "n_environments")
_FALSE: Final = {"false", "off", "no", "0"}


def number_of_experiment(files: Sequence[Layer], others: Sequence[Layer]) -> Layer | None:
    """Return the number that an experiment file names as a layer above config.yml; None where config.yml decides.

    It decides where players are started elsewhere, since the launcher starts as many as config.yml says, and where they
    simulate several worlds each that would not all be used. A number in a file of a group is a default.

    Args:
        files: the experiment's files and groups, weakest first.
        others: config.yml and the command line.
    """
    naming = [layer for layer in files if not layer.is_group and KEY in layer.settings]
    if not naming:
        return None
    # Merge everything but this rule, to see how players are started.
    merged = Merged()
    for layer in (*files, *others):
        merged.add(layer)
    simulation: dict[str, Any] = merged.tree().get("simulation", {})
    unity = simulation.get("unity")
    launch = unity.get("launch", True) if isinstance(unity, dict) else True
    number, worlds = naming[-1].settings[KEY].value, simulation.get("worlds_per_player", 1)
    fits = not (isinstance(number, int) and isinstance(worlds, int) and worlds > 0) or number % worlds == 0
    if str(launch).lower() in _FALSE or not fits:
        return None
    layer = Layer(naming[-1].source, [])
    layer.settings[KEY] = naming[-1].settings[KEY]
    return layer
