"""Examples that `--help` shows name files that are there."""

import re
from pathlib import Path

import pytest
import typer

import rl_pipeline.cli
from rl_pipeline.cli.app import app

ROOT = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("verb", COMMANDS)
def test_files_of_the_checkout_that_an_example_names_exist(verb):
    assert rl_pipeline.cli
    example = COMMANDS[verb].epilog or ""
    for path in re.findall(r"[\w./-]+/[\w.-]+\.ya?ml", example):
        assert (ROOT / path).is_file(), path


def test_the_example_of_deploy_names_one():
    assert "vehicle.yaml" in COMMANDS["deploy"].epilog
