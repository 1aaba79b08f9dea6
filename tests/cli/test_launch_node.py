"""Program of launch_node.bash: the node of config.yml, and its arguments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rl_pipeline.cli.nodes import launch_node as node
from tests.cli.conftest import Refused


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        ("n_environments: [\n", "config.yml: line 2, column 1: not valid YAML"),
        ("n_envs: 4\n", "config.yml: unknown key 'n_envs'; did you mean 'n_environments'?"),
        ("experiment: nothing\n", "config.yml: experiment: unknown experiment file 'nothing'"),
        ("ros: {node_name: trian}\n", "ros.node_name: unknown node 'trian'; did you mean 'train'?"),
        ("ros: {package_name: mine}\n", "ros.package_name: unknown package 'mine'; valid: examples_pkg"),
    ],
)
def test_a_broken_config_yml_is_named_by_the_node(refused: Refused, place: Path, machine: str, message: str) -> None:
    (place / "config.yml").write_text(machine)
    assert message in refused(run=run_node)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ros.node_name=play", "play.experiment=lost"], "no experiment 'lost'"),
        (["ros.nodename=play"], "did you mean 'ros.node_name'?"),
        (["--config-name", "none"], "unknown experiment file 'none'"),
        (["training.seeed=1"], "did you mean 'training.seed'?"),
    ],
)
def test_the_node_hands_its_arguments_on_to_its_verb(refused: Refused, arguments: list[str], message: str) -> None:
    assert message in refused(*arguments, run=run_node)


def run_node(arguments: list[str]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["node", *arguments])
        with pytest.raises(SystemExit) as ended:
            node.main()
    return int(ended.value.code or 0)
