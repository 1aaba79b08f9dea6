"""Wrong input of users: one clear error, exit code 2, no player left running, no folder that claims too much.

Most of it is given to the command in this process; a process of its own is started where a limit or a player counts.
"""

from __future__ import annotations

import contextlib
import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rl_pipeline.config import load_config
from rl_pipeline.envs.factory import Environments
from tests.cli.conftest import Refused

TRAIN = ["train", "--config", "cartpole.yaml"]


NAVIGATE = ["train", "--config", "navigation.yaml"]


RANDOM = ["--config", "cartpole.yaml", "--agent", "random"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # The command line itself.
        (["trian"], "No such command 'trian'. Did you mean 'train'? See rl-pipeline --help"),
        (["endpoint", "--port", "9"], "No such option: --port; see rl-pipeline endpoint --help"),
        (["deploy", "--exper=x"], "No such option: --exper. Did you mean --experiment? See rl-pipeline deploy --help"),
        (["plot"], "no experiment with an ended episode in experiments"),
        (["train", "--confg", "x"], "No such option: --confg"),
        (["train", "--config"], "Option '--config' requires an argument"),
        (["evaluate", *RANDOM, "--episodes", "0"], "'--episodes': Input should be greater than or equal to 1"),
        (["evaluate", *RANDOM, "--seed", "4294967296"], "'--seed': Input should be less than or equal to 4294967295"),
        ([*TRAIN, "training.seed"], "cannot read 'training.seed'"),
        ([*TRAIN, "--config-name", "navigation_ppo"], "found both"),
        # Configuration files.
        (["train", "--config", "none.yaml"], "unknown file 'none.yaml'"),
        (["train", "--config", "nowhere/none.yaml"], "there is no folder nowhere"),
        (["train", "--config", "."], "Is a directory"),
        (["train", "--config", "tabs.yaml"], "tabs.yaml: line 2, column 1: not valid YAML"),
        (["train", "--config", "list.yaml"], "list.yaml: expected a mapping of sections, found a list"),
        (["train", "--config", "binary.yaml"], "binary.yaml: cannot be read"),
        (["train", "--config", "broken.yaml"], "broken.yaml: line 2"),
        (["train", "--config", "group.yaml"], "group.yaml: defaults list: unknown group 'robots'"),
        (["train", "--config", "choice.yaml"], "unknown algorithm 'pp0'; did you mean 'ppo'"),
        (["train", "--config-dir", "notes.txt"], "notes.txt: expected a folder of configuration files, found a file"),
        # Values.
        ([*TRAIN, "n_environments=0"], "n_environments: expected a whole number from 1 to 4096, found 0"),
        ([*TRAIN, "n_environments=abc"], "n_environments: expected a whole number from 1 to 4096, found 'abc'"),
        ([*TRAIN, "environment.video_length=0"], "video_length: expected a whole number of at least 1, found 0"),
        ([*TRAIN, "environment.horizon=long"], "horizon: expected a whole number of at least 1 or null, found 'long'"),
        ([*NAVIGATE, "ros.tcp_ip="], "ros.tcp_ip: expected a string that is not empty"),
        ([*NAVIGATE, "ros.tcp_port=65536"], "ros.tcp_port: expected a whole number from 0 to 65535"),
        ([*NAVIGATE, "unity.pause=false", "unity.time_scale=0"], "unity.time_scale: with unity.pause=false"),
        ([*NAVIGATE, "ros.backend=mlagents"], "ros.backend: 'mlagents' does not exist yet"),
        ([*TRAIN, "algorithm.name=pp0"], "unknown algorithm 'pp0'; did you mean 'ppo'"),
        ([*TRAIN, "+algorithm.parameters.gama=1"], "did you mean 'gamma'"),
        ([*TRAIN, "algorithm.architecture.features_extractor_class=ResnetMPL"], "did you mean 'ResnetMLP'"),
        ([*TRAIN, "environment.id=CartPoel-v1"], "did you mean 'CartPole-v1'"),
        # What does not go together, known before a simulator or a folder exists.
        ([*NAVIGATE, "algorithm=dqn"], "DQN acts in Discrete action spaces, but"),
        ([*TRAIN, "environment.id=Blackjack-v1"], "observation space: expected Box, Discrete"),
        ([*TRAIN, "environment.env_config={gravity: 1}"], "CartPole-v1 does not take {'gravity': 1}"),
        ([*NAVIGATE, "environment.env_config={gravity: 1}"], "unknown option of rl_pipeline/Navigation-v0 'gravity'"),
        (
            [*TRAIN, "algorithm.parameters.gamma=abc"],
            "algorithm.parameters.gamma: expected a number from 0 to 1, found 'abc'",
        ),
        ([*TRAIN, "algorithm.parameters.n_steps=2.5"], "n_steps: expected a whole number of at least 1, found 2.5"),
        ([*TRAIN, "algorithm.parameters.batch_size=0"], "batch_size: expected a whole number of at least 1, found 0"),
        ([*NAVIGATE, "unity.build_path=none"], "unity.build_path: none does not exist"),
        ([*NAVIGATE, "unity.build_path=."], "unity.build_path: . is a directory"),
        ([*NAVIGATE, "unity.build_path=notes.txt"], "notes.txt is not executable; run: chmod +x notes.txt"),
        # Models and experiments.
        ([*TRAIN, "training.pretrained_model=text.zip"], "text.zip is not a model that can be read"),
        ([*TRAIN, "training.pretrained_model=half.zip"], "half.zip is not a model that can be read"),
        ([*TRAIN, "training.pretrained_model=weights.zip"], "weights.zip is not a model that can be read: its tensors"),
        ([*TRAIN, "training.pretrained_model=lost.zip"], "'lost.zip' is neither a model file nor an experiment"),
        (["play"], "no experiment with a trained model in experiments"),
        (["play", "--experiment", "none"], "no experiment 'none' in experiments"),
        (["play", "--model", "folder/none.zip"], "--model: expected a model's name or a file"),
        (["play", "--model", "text.zip"], "text.zip is not a model that can be read"),
        (["evaluate", "--agent", "rendom"], "--agent: unknown agent 'rendom'; did you mean 'random'"),
        # Where results go, asked before they are computed.
        (["evaluate", *RANDOM, "--json", "nowhere/a.json"], "--json: there is no folder nowhere"),
        (["benchmark", "transport", "--json", "."], "--json: expected a file, found the folder ."),
        (["play", *RANDOM, "--video", "nowhere/a.mp4"], "--video: there is no folder nowhere"),
        (["play", *RANDOM, "--video", "a.gif"], "--video: expected a name that ends with .mp4"),
        (["play", *RANDOM, "--show"], "--show: a window needs a display"),
        (["benchmark", "transprot"], "unknown benchmark 'transprot'; did you mean 'transport'"),
        (["check", "CartPoel-v1"], "unknown environment 'CartPoel-v1'; did you mean 'CartPole-v1'"),
    ],
)
def test_what_can_be_known_beforehand_leaves_nothing_behind(
    refused: Refused, place: Path, arguments: list[str], message: str
) -> None:
    assert message in refused(*arguments)
    assert not (place / "experiments").exists()


def test_an_experiments_directory_that_is_a_file_is_named(refused: Refused, place: Path) -> None:
    (place / "experiments").write_text("")
    assert "experiment.directory: cannot write to experiments/CartPole-v1/ppo" in refused(*TRAIN)


def test_a_folder_that_cannot_be_begun_is_removed(refused: Refused, place: Path) -> None:
    with file_size_limit(100):
        assert "config.yaml: File too large" in refused(*TRAIN)
    assert not list((place / "experiments").glob("*/*/*"))


@pytest.mark.slow
def test_a_disk_that_fills_while_training_leaves_a_folder_that_says_so(refused: Refused, place: Path) -> None:
    with file_size_limit(20_000):
        assert "File too large" in refused(*TRAIN)
    assert status(place) == "failed"


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Fail writes beyond `size` bytes of a file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def status(place: Path) -> str:
    (metadata,) = (place / "experiments").glob("*/*/*/metadata.json")
    return str(json.loads(metadata.read_text())["status"])


def left(place: Path) -> list[str]:
    """Files of runs that took no step, but for the logs of their players."""
    files = (path for path in (place / "experiments").rglob("*") if path.is_file())
    return [path.name for path in files if path.parent.name != "players"]


def test_a_second_run_on_a_fixed_port_is_refused_and_the_first_goes_on(refused: Refused, place: Path) -> None:
    config = load_config(config_file=Path("navigation.yaml"), overrides=["unity.connect_timeout=60"])
    with Environments(config, place / "first") as first:
        environments = first.training()
        environments.reset()
        port = first.simulation.endpoint.port
        said = refused(*NAVIGATE, f"ros.tcp_port={port}", "unity.launch=false")
        assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in said
        assert left(place) == ["failed_start.log"]
        _, _, _, infos = environments.step(np.zeros((2, *environments.action_space.shape)))
        assert not any(info.get("player_lost") for info in infos)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["ros.tcp_port=65535", "ros.one_port_per_environment=true"], "environment 1 would have port 65536"),
        (["ros.tcp_ip=192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["unity.launch=false"], "unity.launch is false: start the players, and have them connect to 127.0.0.1:"),
        (["unity.headless_mode=false", "unity.connect_timeout=30"], "a window needs a display"),
    ],
)
def test_simulators_that_cannot_be_had_leave_a_log_alone(
    refused: Refused, place: Path, overrides: list[str], message: str
) -> None:
    assert message in refused(*NAVIGATE, *overrides)
    assert left(place) == ["failed_start.log"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('echo "no graphics library"; exit 3', "exited with code 3 before it connected"),
        ("exec sleep 30", "did not offer /navigation_0/reset"),
        (
            'exec {python} -c "$(sed s#/navigation_#/duel_# {handmade})" "$@"',
            "offered are: /duel_0/reset, /duel_0/",
        ),
        ('exec {python} -c "$(sed s#/Navigation#/Duel# {handmade})" "$@"', "offers it as interfaces_pkg/DuelReset"),
    ],
)
def test_a_wrong_build_is_told_apart_and_ends_with_the_run(
    refused: Refused,
    place: Path,
    build: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    message: str,
) -> None:
    monkeypatch.setenv("RL_PIPELINE_TEST", str(place))
    assert message in refused(*NAVIGATE, f"unity.build_path={build(script)}")
    assert left(place) == ["failed_start.log"]
    mark = f"RL_PIPELINE_TEST={place}"
    assert not [path for path in Path("/proc").glob("[0-9]*/environ") if mark.encode() in content(path)]


def content(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""
