"""Classes that `algorithm.architecture` names: activation functions, optimizers and feature extractors."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from rl_pipeline.config.expectations import found
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.models.feature_extractors import find_feature_extractor

UNSUITED = ("GLU", "MultiheadAttention", "Softmax2d", "Threshold", "LBFGS", "SparseAdam", "Muon")
"""Classes of PyTorch that do not work between layers of one width, or with a plain step on dense gradients."""


def named_class(setting: str, name: Any, where: str) -> type[Any]:
    """The class that `name` means for `activation_fn`, `optimizer_class` or `features_extractor_class`.

    `nn.ReLU` and `torch.nn.ReLU` are read as `ReLU`.

    Raises:
        InputError: there is no class of that name; the message begins with `where`.
    """
    if not isinstance(name, str):
        raise InputError(f"{where}: expected the name of a class, found {found(name)}")
    name = name.rpartition(".")[2]
    if setting == "features_extractor_class":
        return find_feature_extractor(name, where=where)
    classes = _activations() if setting == "activation_fn" else _optimizers()
    classes = {key: value for key, value in classes.items() if key not in UNSUITED}
    if name not in classes:
        kind = "activation function" if setting == "activation_fn" else "optimizer"
        raise UnknownNameError(kind, name, classes, where=where)
    return classes[name]


def _activations() -> dict[str, type[Any]]:
    return {
        name: value
        for name, value in vars(torch.nn.modules.activation).items()
        if inspect.isclass(value) and issubclass(value, torch.nn.Module) and name in torch.nn.modules.activation.__all__
    }


def _optimizers() -> dict[str, type[Any]]:
    optimizer = torch.optim.Optimizer
    classes = {
        name: value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, optimizer) and value is not optimizer
    }
    return {**classes, "RMSpropTFLike": RMSpropTFLike}
