"""The runner: wrong input ends with one clear error and no run; keys given twice and references are followed."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rl_pipeline.errors import InputError
from rl_pipeline.rl_games import Runner
from tests.rl_games.conftest import PARAMS, changed

TRAIN = ["--train", "--file", "tiny.yaml"]


PLAY = ["--play", "--file", "tiny.yaml"]


FILES = {
    "pendulum": changed(config__env_name="Pendulum-v1"),
    "algorithm": changed(algo__name="a2c_discret"),
    "nameless": changed(algo=None),
    "module": changed(import_modules=["no_such_module"]),
    "batches": changed(config__minibatch_size=64),
    "watched": changed(config__player__render=True),
    "observed": changed(config__algo_observer="issac"),
}


@pytest.fixture(scope="module")
def files(place: Path) -> Path:
    for name, params in FILES.items():
        (place / f"{name}.yaml").write_text(yaml.safe_dump({"params": params}))
    (place / "weights.pth").write_text("")
    (place / "text.zip").write_text("this is no model")
    (place / "experiment.yaml").write_text("environment: {id: CartPole-v1}\n")
    return place


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train"], "Missing option '--file'"),
        (["--file", "tiny.yaml"], "expected --train or --play, found neither"),
        ([*TRAIN, "--play"], "expected --train or --play, found both"),
        (["--train", "--file", "tyni.yaml"], "unknown file 'tyni.yaml'; did you mean 'tiny.yaml'"),
        (["-t", "-f", "algorithm.yaml"], "algorithm.yaml: params.algo.name: unknown algorithm 'a2c_discret'; did you"),
        (["-t", "-f", "nameless.yaml"], "nameless.yaml: params.algo.name: expected an algorithm, found null"),
        (["-t", "-f", "pendulum.yaml"], "a2c_discrete: expected Discrete actions, but Pendulum-v1 has Box"),
        (["-t", "-f", "module.yaml"], "module.yaml: params.import_modules: cannot import no_such_module"),
        (["-t", "-f", "observed.yaml"], "unknown observer 'issac'; did you mean 'isaac'"),
        ([*TRAIN, "--num_actors", "0"], "'--num_actors' / '-na': Input should be greater than or equal to 1"),
        (["-t", "-f", "batches.yaml", "-na", "3"], "expected a divisor of horizon_length x num_actors (96), found 64"),
        ([*TRAIN, "--sigma", "0"], "--sigma: needs a network with space.continuous.fixed_sigma"),
        (
            ["-t", "-f", "experiment.yaml", "--sigma", "0"],
            "--sigma: expected Box actions, but CartPole-v1 has Discrete",
        ),
        ([*TRAIN, "--wandb-entity", "me"], "--wandb-entity: needs --track"),
        ([*TRAIN, "--checkpoint", "none.zip"], "--checkpoint: 'none.zip' is neither a model file nor an experiment"),
        ([*TRAIN, "--checkpoint", "weights.pth"], "weights.pth is a checkpoint of PyTorch; expected a model of this"),
        ([*TRAIN, "--checkpoint", "text.zip"], "text.zip is not a model that can be read"),
        (PLAY, "--play: expected --checkpoint with a run's folder or a model"),
        ([*PLAY, "-c", "text.zip"], "text.zip is not a model that can be read"),
        (["-p", "-f", "watched.yaml", "-c", "text.zip"], "player.render: a window needs a display"),
    ],
)
def test_a_run_is_refused_before_it_begins(
    files: Path,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code = command("runner", *arguments)
    said = capsys.readouterr().err
    assert code == 2, said
    assert message in said
    assert said.count("error: ") == 1
    assert not (files / "experiments").exists()
    assert not (files / "runs").exists()


def test_the_interface_of_python_refuses_alike() -> None:
    runner = Runner()
    with pytest.raises(InputError, match="nothing is loaded"):
        runner.run({"train": True})
    with pytest.raises(InputError, match="expected params, as rl_games has it, found algo"):
        runner.load({"algo": {"name": "sac"}})
    runner.load({"params": PARAMS})
    with pytest.raises(InputError, match=r"unknown argument of Runner\.run 'chekpoint'; did you mean 'checkpoint'"):
        runner.run({"train": True, "chekpoint": "x"})


def test_of_a_key_that_is_given_twice_the_last_counts(
    place: Path, command: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    text = yaml.safe_dump({"params": changed(config__max_epochs=1, config__full_experiment_name="twice")})
    (place / "twice.yaml").write_text(text.replace("  config:\n", "  config:\n    mini_epochs: 0\n"))
    with caplog.at_level(logging.WARNING):
        assert command("runner", "--train", "--file", "twice.yaml") == 0
    assert any(
        re.fullmatch(r"twice.yaml: line \d+: mini_epochs is given again; the last counts", m) for m in caplog.messages
    )


def test_references_within_a_file_are_followed_and_those_out_of_it_are_all_named(
    place: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    params = changed(seed="${...seed}", config__minibatch_size="${.horizon_length}", config__name="${resolve:A,${..a}}")
    (place / "outside.yaml").write_text(yaml.safe_dump({"params": params}))
    assert command("runner", "--train", "--file", "outside.yaml") == 2
    said = capsys.readouterr().err
    assert "outside.yaml: params.seed: ${...seed} refers to what is not in this file; expected a value" in said
    assert "outside.yaml: params.config.name: ${resolve:A,${..a}} refers to" in said
    assert "minibatch_size" not in said
