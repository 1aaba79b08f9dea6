"""Examples that `--help` shows name files that are there."""

import re
from pathlib import Path

import pytest

from rl_pipeline.cli.app import BUILT_IN
from rl_pipeline.cli.registration import VERBS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("verb", [name for verbs in BUILT_IN.values() for name in verbs])
def test_files_of_the_checkout_that_an_example_names_exist(verb):
    example = VERBS[verb].command().epilog or ""
    for path in re.findall(r"[\w./-]+/[\w.-]+\.ya?ml", example):
        assert (ROOT / path).is_file(), path


def test_the_example_of_deploy_names_one():
    assert "vehicle.yaml" in VERBS["deploy"].command().epilog
