"""An exception in a user's own code: one line that names the line at fault, and its traceback in train.log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.errors import InputError
from rl_pipeline.plugins import import_user_module
from rl_pipeline.tracebacks import describe_failure

TASK = """
import numpy as np
from rl_pipeline.envs import register_task
from rl_pipeline.tasks.navigation import NavigationTask


class MistakenTask(NavigationTask):
    steps = 0

    def reward(self, previous, actions, state):
        self.steps += 1
        return state.twist.linear.x if self.steps < 5 else self.weight


register_task("Mistaken-v0", MistakenTask)
"""
EXPERIMENT = """
modules: [mistaken_tasks]
experiment: {name: mistaken}
environment: {id: Mistaken-v0, video_wrapper: false, render_mode: null}
training: {total_timesteps: 64, device: cpu, eval: {num_evals: 0}}
simulation: {n_environments: 1, ros: {tcp_port: 0}, unity: {connect_timeout: 60}}
"""


@pytest.mark.slow
def test_exception_in_a_task_names_its_line_and_leaves_its_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], build: Callable[[], Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mistaken_tasks.py").write_text(TASK)
    (tmp_path / "mistaken.yaml").write_text(EXPERIMENT)
    assert cli.run(["train", "--config", "mistaken.yaml", f"unity.build_path={build()}"]) == 1
    said = "AttributeError: 'MistakenTask' object has no attribute 'weight' (mistaken_tasks.py, line 12, in reward)"
    errors = capsys.readouterr().err
    assert f"error: {said}" in errors
    assert "Traceback" not in errors
    [log] = tmp_path.rglob("train.log")
    text = log.read_text()
    assert "Traceback (most recent call last)" in text
    assert 'mistaken_tasks.py", line 12, in reward' in text
    assert text.rstrip().endswith("AttributeError: 'MistakenTask' object has no attribute 'weight'")
    assert json.loads(log.with_name("metadata.json").read_text())["error"] == said


def test_module_that_fails_when_it_is_imported_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "failing_module.py"
    path.write_text("def ratio():\n    return 1 / 0\n\n\nratio()\n")
    with pytest.raises(InputError, match=r"ZeroDivisionError: .*\(.*failing_module\.py, line 2, in ratio\)"):
        import_user_module(str(path), "modules")


def test_failure_of_a_library_alone_names_no_line() -> None:
    with pytest.raises(json.JSONDecodeError) as failure:
        json.loads("{")  # called by this file, which no code of the package calls
    assert describe_failure(failure.value) == f"JSONDecodeError: {failure.value}"
