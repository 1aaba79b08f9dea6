"""The report of an evaluation: one line for each figure, never cut."""

from io import StringIO

import numpy as np
from rich.console import Console

from rl_pipeline.evaluation.report import print_evaluation_report
from rl_pipeline.experiment.evaluations import Episodes, summarise


def test_figures_and_lost_episodes_are_printed_on_lines_of_their_own():
    lost = np.array([False, False, True])
    episodes = Episodes(np.array([1.0, 3.0, 0.0]), np.array([10, 20, 5]), np.array([True, False, False]), lost)
    summary = summarise(episodes)
    assert summary is not None
    console = Console(file=StringIO(), width=20)
    print_evaluation_report(summary, "model.zip", "Navigation-v0", console)
    lines = console.file.getvalue().strip().splitlines()
    assert lines[0] == "model.zip in Navigation-v0"
    figures = {line.split("  ")[1]: line for line in lines[1:]}
    assert "2.00 ± 1.41 sd, 95% interval" in figures["return"]
    assert "50.0%, 95% interval" in figures["success rate"]
    assert "15.0 steps on average" in figures["length"]
    assert "2; 1 not counted (simulator lost)" in figures["episodes"]
