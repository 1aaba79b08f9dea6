"""Hops of flows: the functions that a training, a step, a lost player and a resume enter."""

from __future__ import annotations

import pytest

from tests.support.tools import TOOLS, load_tool

flows = load_tool("flows")


def test_functions_and_modules_of_each_flow_are_counted() -> None:
    found = {"train": [("cli/app.py", "run"), ("cli/app.py", "main"), ("run/train.py", "train")], "step": []}
    assert flows.table(found).splitlines()[2:] == [
        "| train | 3 | 2 |",
        "| step | 0 | 0 |",
        "| lost player | 0 | 0 |",
        "| resume | 0 | 0 |",
    ]


@pytest.mark.slow
def test_the_four_flows_of_this_checkout_are_recorded() -> None:
    found = flows.measure(TOOLS.parent)
    assert set(found) == {"train", "step", "lost player", "resume"}
    assert ("cli/train.py", "train") in found["train"]
    assert ("cli/train.py", "train") not in found["resume"]
    assert not set(found["step"]) & set(found["lost player"])
    assert len(found["step"]) < 100 < len(found["train"])
