"""`rl-pipeline plot` on experiments of real trainings, and wrong requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline import cli

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.run(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_curves_and_report_of_two_seeds(runs: Path, capsys: Capture) -> None:
    text = said(capsys, "plot", "cart_*", "--output", "seeds.png", "--html", "seeds.html")
    assert "seeds.png" in text
    assert Path("seeds.png").read_bytes().startswith(b"\x89PNG")
    page = Path("seeds.html").read_text()
    assert "<td>cart</td><td>2</td><td>CartPole-v1</td><td>PPO</td>" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plot", "--output", "curves.jpg"], "--output: expected a name that ends with .png or .svg"),
        (["plot", "--html", "nowhere/report.html"], "--html: there is no folder nowhere"),
        (["plot", "card_0"], "unknown experiment 'card_0'; did you mean 'cart_0'"),
        (
            ["evaluate", "--model", "checkpoint"],
            "unknown model 'checkpoint'; valid: best_model, model, ",
        ),
        (["evaluate", "--experiment", "card*"], "unknown experiment 'card*'"),
        (["evaluate", "--csv", "nowhere/a.csv"], "--csv: there is no folder nowhere"),
        (
            ["plot", "--directory", "elsewhere"],
            "no experiment with an ended episode in elsewhere: run `rl-pipeline train` first",
        ),
        (["runs", "list", "--where", "seed"], "--where: expected KEY=VALUE"),
    ],
)
def test_bad_requests_are_refused(runs: Path, capsys: Capture, arguments: list[str], message: str) -> None:
    assert message in said(capsys, *arguments, code=2)
