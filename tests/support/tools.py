"""Import of the scripts of tools/, which are no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

TOOLS = Path(__file__).parents[2] / "tools"


def load_tool(name: str) -> ModuleType:
    """Import a script of tools/ under its own name, so that others can import it too."""
    if name not in sys.modules:
        specification = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
        assert specification is not None
        assert specification.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
    return sys.modules[name]
