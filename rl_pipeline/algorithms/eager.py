"""Models without the import of PyTorch's compiler, which nothing here uses and which takes almost as long."""

from __future__ import annotations

import sys
from typing import Final

from torch.optim import Optimizer

_MARK: Final = "__dynamo_disable"
"""Where torch._disable_dynamo keeps, on a function, the version of it that the compiler is to leave alone."""


def spare_compiler() -> None:
    """Keep new optimisers from importing `torch._dynamo`, and SymPy with it: 1.2 s of processor time.

    An optimiser's functions are marked as not to be compiled, and look up how at their first call. Each is given the
    answer before: without a compiler it runs as it is. An optimiser's first step imports it after all; a model that
    only acts never takes one, and a model that learns only after its first rollout.
    """
    if "torch._dynamo" in sys.modules:
        return
    for method in vars(Optimizer).values():
        function = getattr(method, "__wrapped__", None)
        if function is not None and not hasattr(function, _MARK):
            setattr(function, _MARK, function)
