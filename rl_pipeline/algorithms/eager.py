"""Models without the import of PyTorch's compiler, which nothing here uses and which takes almost as long."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

import torch
from torch.optim import Optimizer

COMPILER: Final = "torch._dynamo"
_MARK: Final = "__dynamo_disable"
"""Where torch._disable_dynamo keeps, on a function, the version of it that the compiler is to leave alone."""
_GUARD: Final = "_use_grad"
"""Name of the function in which PyTorch's optimisers take their steps: it tells the compiler not to look into them."""


def spare_compiler() -> None:
    """Keep optimisers from importing `torch._dynamo`, and SymPy with it: 1.2 s of processor time.

    An optimiser's functions are marked as not to be compiled, and look up how at their first call. Each is given the
    answer before: without a compiler it runs as it is. Steps say so to the compiler as they are taken; here they do
    once something has loaded it, such as `torch.compile`.
    """
    if COMPILER in sys.modules:
        return
    for method in vars(Optimizer).values():
        function = getattr(method, "__wrapped__", None)
        if function is not None and not hasattr(function, _MARK):
            setattr(function, _MARK, function)
    for optimiser in Optimizer.__subclasses__():
        step = vars(optimiser).get("step")
        if step is not None and getattr(getattr(step, "__code__", None), "co_name", None) == _GUARD:
            optimiser.step = _without_compiler(step)  # type: ignore[method-assign]


def _without_compiler(guarded: Callable[..., Any]) -> Callable[..., Any]:
    """The step of an optimiser as PyTorch takes it, but for the compiler."""
    step: Callable[..., Any] = guarded.__wrapped__  # type: ignore[attr-defined]

    @functools.wraps(step)
    def take(optimiser: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if COMPILER in sys.modules:
            return guarded(optimiser, *args, **kwargs)
        with torch.set_grad_enabled(optimiser.defaults["differentiable"]):
            return step(optimiser, *args, **kwargs)

    return take
