"""Registry of feature extractors: registered classes, and the classes in the files of this folder."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

from stable_baselines3.common import torch_layers
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor as StableBaselines3Extractor

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plugins import load_file
from rl_pipeline.registry import Registry
from rl_pipeline.tracebacks import describe_failure

FOLDER: Final = Path(__file__).parent
PACKAGE: Final = __package__ or ""
NOT_EXTRACTORS: Final = ("__init__", "base_extractor", "registration")
"""Files of the folder that are not searched for extractors."""
KEY: Final = "algorithm.architecture.features_extractor_class"

EXTRACTORS: Final[Registry[type[StableBaselines3Extractor]]] = Registry("feature extractor", KEY)


def register_feature_extractor(name: str, extractor: type[StableBaselines3Extractor]) -> None:
    """Register a class of a module elsewhere.

    Args:
        name: value of `algorithm.architecture.features_extractor_class`.
        extractor: the class; its constructor takes the observation space, then `features_extractor_kwargs`.

    Raises:
        InputError: the name belongs to another class already.
    """
    EXTRACTORS.register(name, extractor)


def registered_feature_extractors() -> list[str]:
    """Return the registered names, in the order of registration."""
    return list(EXTRACTORS)


def find_feature_extractor(name: str, folder: Path = FOLDER, *, where: str = KEY) -> type[StableBaselines3Extractor]:
    """Return a class by name: registered, else in a file of `folder`, else in Stable-Baselines3.

    Args:
        name: name of the class.
        folder: folder with a file for each extractor.
        where: configuration key, for messages.

    Raises:
        UnknownNameError: no class has this name.
        InputError: no class has this name, and a file of the folder cannot be imported.
    """
    if name in EXTRACTORS:
        return EXTRACTORS.find(name)
    # Import every file, so that an error can name the nearest class. A broken one matters only if the class is missing.
    found: dict[str, type[StableBaselines3Extractor]] = {}
    broken: list[str] = []
    for file in sorted(folder.glob("*.py")):
        if file.stem in NOT_EXTRACTORS:
            continue
        try:
            found |= _extractors_of(_import_file(file, folder))
        except Exception as error:  # a user's file may raise anything
            broken.append(f"{file} cannot be imported: {describe_failure(error)}")
    if name in found:
        return found[name]
    # Stable-Baselines3's own, such as NatureCNN.
    library = _extractors_of(torch_layers)
    if name in library:
        return library[name]
    if broken:
        raise InputError(f"{where}: {name!r} is not found, and {'; '.join(broken)}")
    raise UnknownNameError(EXTRACTORS.kind, name, {**EXTRACTORS, **found, **library}, where=where)


def _import_file(file: Path, folder: Path) -> ModuleType:
    """Import a file of a folder once; files of equal names in different folders stay apart."""
    package = PACKAGE if folder == FOLDER else f"feature_extractors_{abs(hash(folder))}"
    module_name = f"{package}.{file.stem}"
    return sys.modules.get(module_name) or load_file(module_name, file)


def _extractors_of(module: ModuleType) -> dict[str, type[StableBaselines3Extractor]]:
    """Return the extractors that a module defines, imported ones excluded."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, StableBaselines3Extractor)
        and value is not StableBaselines3Extractor
        and value.__module__ == module.__name__
    }
