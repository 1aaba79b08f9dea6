"""Finds the feature extractors by name: those that are registered, and the classes in the files of a folder."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType

from stable_baselines3.common import torch_layers
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor as StableBaselines3Extractor

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plugins import load_file
from rl_pipeline.tracebacks import describe_failure

FOLDER = Path(__file__).parent
PACKAGE = __package__ or ""
NOT_EXTRACTORS = ("__init__", "base_extractor", "registration")
WHERE = "algorithm.architecture.features_extractor_class"

_registered: dict[str, type[StableBaselines3Extractor]] = {}


def register_feature_extractor(name: str, extractor: type[StableBaselines3Extractor]) -> None:
    """Make a class that lies elsewhere known by `name`. Raises `InputError` when the name is taken by another one."""
    if _registered.setdefault(name, extractor) is not extractor:
        raise InputError(f"a feature extractor named {name!r} is registered already")


def registered_feature_extractors() -> list[str]:
    """The names that were registered."""
    return list(_registered)


def find_feature_extractor(name: str, folder: Path = FOLDER, *, where: str = WHERE) -> type[StableBaselines3Extractor]:
    """The class registered as `name`, or else the one in a file of `folder` or in Stable-Baselines3.

    A file that cannot be imported matters only when the class is found in no other one.
    Raises `UnknownNameError` listing the classes found, `InputError` naming a broken file and its exception.
    """
    if name in _registered:
        return _registered[name]
    found: dict[str, type[StableBaselines3Extractor]] = {}
    broken: list[str] = []
    for file in sorted(folder.glob("*.py")):
        if file.stem in NOT_EXTRACTORS:
            continue
        try:
            found |= _extractors(_imported(file, folder))
        except Exception as error:  # whatever a user's file raises
            broken.append(f"{file} cannot be imported: {describe_failure(error)}")
    if name in found:
        return found[name]
    library = _extractors(torch_layers)
    if name in library:
        return library[name]
    if broken:
        raise InputError(f"{where}: {name!r} is not found, and {'; '.join(broken)}")
    raise UnknownNameError("feature extractor", name, {**_registered, **found, **library}, where=where)


def _imported(file: Path, folder: Path) -> ModuleType:
    module_name = (
        f"{PACKAGE}.{file.stem}" if folder == FOLDER else f"feature_extractors_{abs(hash(folder))}.{file.stem}"
    )
    return sys.modules.get(module_name) or load_file(module_name, file)


def _extractors(module: ModuleType) -> dict[str, type[StableBaselines3Extractor]]:
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, StableBaselines3Extractor)
        and value is not StableBaselines3Extractor
        and value.__module__ == module.__name__
    }
