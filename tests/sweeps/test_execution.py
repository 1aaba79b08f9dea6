"""Execution of trials: the process group that ends them with the command."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

DEADLINE = 300.0

Eventually = Callable[[Callable[[], bool], float], None]

OUTLIVES = """
import os, sys, time
from rl_pipeline.sweeps.execution import _in_group
former = os.getpgrp()
with _in_group(os.getpid()):
    print(former == os.getppid(), flush=True)
    try:
        while True:
            os.killpg(former, 0)
            time.sleep(0.01)
    except ProcessLookupError:
        pass
print("done", os.getpgrp() == os.getpid())
"""


def test_a_sweep_outlives_the_shell_that_started_it(tmp_path: Path, eventually: Eventually) -> None:
    """Of a shell that exits, as after ssh, the process group is gone; there is none to return to."""
    said = tmp_path / "said"
    script = (
        f"{shlex.quote(sys.executable)} -c {shlex.quote(OUTLIVES)} > {said} 2>&1 & while ! test -s {said}; do :; done"
    )
    with subprocess.Popen(["bash", "-c", script], start_new_session=True) as shell:
        assert shell.wait(DEADLINE) == 0
    eventually(lambda: len(said.read_text().splitlines()) == 2, DEADLINE)
    assert said.read_text().splitlines() == ["True", "done True"]
