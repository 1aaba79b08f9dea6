from __future__ import annotations

import io
import socket

import pytest
from rich.console import Console

from rl_pipeline.cli import doctor as module
from rl_pipeline.cli.doctor import findings, print_findings


def test_the_table_names_everything_looked_at() -> None:
    screen = io.StringIO()
    print_findings(Console(file=screen, width=200))
    for what in (
        "Python",
        "link",
        "CUDA",
        "GL: EGL",
        "GL: OSMesa",
        "display",
        "videos",
        "ROS 2",
        "port 10000",
        "W&B mode",
    ):
        assert what in screen.getvalue()


def test_what_is_missing_comes_with_advice() -> None:
    assert all(finding.advice for finding in findings() if not finding.available)


def test_an_installation_without_compiled_loops_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_compiled", lambda: False)
    finding = next(finding for finding in findings() if finding.name == "link")
    assert not finding.available
    assert "C compiler" in finding.advice


def test_a_port_in_use_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(module, "PORT", server.getsockname()[1])
        finding = next(finding for finding in findings() if finding.name.startswith("port"))
    assert finding.available is False
    assert "ros.tcp_port" in finding.advice
