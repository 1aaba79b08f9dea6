"""Consoles of the verbs, and the package's log on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from rl_pipeline.cli.console import UNBOUNDED_WIDTH, log_to_terminal, make_console


@pytest.fixture
def package_logger() -> Iterator[logging.Logger]:
    """The package's logger, with its handlers and level put back afterwards."""
    logger = logging.getLogger("rl_pipeline")
    handlers, level = logger.handlers, logger.level
    logger.handlers = []
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)


def test_lines_in_a_pipe_are_as_long_as_their_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    make_console().print("word " * 100)
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert make_console().width == UNBOUNDED_WIDTH


def test_columns_bounds_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert make_console().width == 60


def test_only_warnings_and_errors_have_their_level(
    package_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_terminal(debug=False)
    package_logger.info("saved")
    package_logger.debug("hidden")
    package_logger.warning("slow disk")
    assert capsys.readouterr().err == "saved\nwarning: slow disk\n"


def test_a_handler_of_the_process_stays_the_only_one(package_logger: logging.Logger) -> None:
    own = logging.NullHandler()
    package_logger.handlers = [own]
    log_to_terminal(debug=True)
    assert package_logger.handlers == [own]
    assert package_logger.level == logging.DEBUG
