"""Compile the loops of batched calls (batch_io.c) when the package is built, where there is a C compiler.

Run as a script, it compiles them in place. Without a compiler the package is built all the same: Python code
does the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path(__file__).with_name("rl_pipeline") / "transport" / "batch_io.c"
LIBRARY = SOURCE.with_name("libbatch_io.so")


def compile_library() -> bool:
    """Compile next to the source; False where that is not possible."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return False
    temporary = LIBRARY.with_suffix(".partial")
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(temporary), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return False
    # Renamed rather than written over: a running process may have it mapped.
    temporary.replace(LIBRARY)
    return True


class CompiledLoops(BuildHookInterface):
    """Puts the library into wheels, which are then for one platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before a wheel is put together, also one of an editable installation."""
        if self.target_name == "wheel" and compile_library():
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
            build_data["artifacts"].append(f"/{LIBRARY.relative_to(self.root)}")


if __name__ == "__main__":
    raise SystemExit(0 if compile_library() else 1)
