"""PyTorch for training: device, threads, and optimizers that do not load the compiler."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from torch.optim import Optimizer

from rl_pipeline.errors import InputError

logger = logging.getLogger(__name__)

SMALL_POLICY: Final = 500_000
"""Number of parameters below which more than one thread makes an update slower, not faster."""

COMPILER: Final = "torch._dynamo"
_DISABLED_ATTRIBUTE: Final = "__dynamo_disable"
"""Attribute of a function in which torch._disable_dynamo keeps the version that the compiler must not look into."""
_GUARD: Final = "_use_grad"
"""Name of the wrapper around an optimizer's step; it tells the compiler not to look into the step."""


def resolve_device(name: str) -> str:
    """Return the device for `training.device`. Without CUDA, `cuda` falls back to the CPU with a warning.

    Raises:
        InputError: the machine has CUDA devices, but not the one that is named.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type != "cuda":
        return name
    # A configuration from a machine with a GPU runs on one without.
    if not torch.cuda.is_available():
        logger.warning("training.device is %s, but CUDA is not available here: using the CPU", name)
        return "cpu"
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise InputError(
            f"training.device: {name} does not exist; this machine has cuda:0 to cuda:{torch.cuda.device_count() - 1}"
        )
    return name


def limit_threads(model: BaseAlgorithm) -> int:
    """Limit PyTorch's threads in this process, unless OMP_NUM_THREADS is set; return their number.

    A small policy on the CPU gets one thread: its matrices are too small to share out, and players need the cores.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        size = sum(parameter.numel() for parameter in model.policy.parameters())
        small = size < SMALL_POLICY or model.device.type != "cpu"
        torch.set_num_threads(1 if small else max(1, (os.cpu_count() or 1) // 2))
    return torch.get_num_threads()


def avoid_compiler_import() -> None:
    """Keep optimizers from importing `torch._dynamo` and SymPy, which takes 1.2 s of processor time.

    The functions of an optimizer are marked as not to be compiled, and load the compiler at their first call to ask for
    their uncompiled version. This function gives them the answer beforehand. Steps load the compiler too; here they do
    so only after something else has loaded it, such as `torch.compile`.
    """
    if COMPILER in sys.modules:
        return
    # Functions: the uncompiled version is the function itself.
    for method in vars(Optimizer).values():
        function = getattr(method, "__wrapped__", None)
        if function is not None and not hasattr(function, _DISABLED_ATTRIBUTE):
            setattr(function, _DISABLED_ATTRIBUTE, function)
    # Steps: replace the wrapper of each optimizer class.
    for optimizer in Optimizer.__subclasses__():
        step = vars(optimizer).get("step")
        if step is not None and getattr(getattr(step, "__code__", None), "co_name", None) == _GUARD:
            optimizer.step = _make_lazy_step(step)  # type: ignore[method-assign]


def _make_lazy_step(guarded: Callable[..., Any]) -> Callable[..., Any]:
    """Return an optimizer's step that enters PyTorch's wrapper only if the compiler is loaded."""
    step: Callable[..., Any] = guarded.__wrapped__  # type: ignore[attr-defined]

    @functools.wraps(step)
    def take_step(optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if COMPILER in sys.modules:
            return guarded(optimizer, *args, **kwargs)
        # The rest of the wrapper: gradients flow through the step if the optimizer is differentiable.
        with torch.set_grad_enabled(optimizer.defaults["differentiable"]):
            return step(optimizer, *args, **kwargs)

    return take_step
