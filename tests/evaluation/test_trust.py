"""A model from elsewhere, whose files are pickles that would do something: no verb that takes a model executes them."""

from __future__ import annotations

import base64
import io
import json
import pickle
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.env_util import make_vec_env

from rl_pipeline import cli
from rl_pipeline.cli.exit import BAD_INPUT
from rl_pipeline.config import NO_MACHINE_FILE
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.trust import Use, config_of_model
from rl_pipeline.experiment.checkpoints.model_file import ModelFile, save_model

Forge = Callable[[str], None]

CONFIG = """
experiment: {name: test}
environment: {id: CartPole-v1, horizon: 20, video_wrapper: false}
algorithm: {name: dqn, parameters: {policy: MlpPolicy, learning_starts: 20, buffer_size: 100}}
training: {total_timesteps: 40, device: cpu, log_points: 0, eval: {num_evals: 0}}
evaluation: {num_episodes: 1}
simulation: {n_environments: 1}
"""
MODEL = "downloaded/model.zip"
VERBS = {
    "play": ["play", "--model", MODEL, "--episodes", "1", "--video", "agent.mp4"],
    "evaluate": ["evaluate", "--model", MODEL, "--episodes", "1"],
    "train": ["train", "--config", "dqn.yaml", f"training.pretrained_model={MODEL}"],
}
READ = ["policy.pth", "policy.optimizer.pth", "pytorch_variables.pth"]
"""Members of the zip that are read; `data`, where Stable-Baselines3 keeps its own pickles, is not."""

verbs = pytest.mark.parametrize("arguments", VERBS.values(), ids=VERBS)


class Trap:
    """An object whose pickle, when it is loaded, makes a file."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> Any:
        return (Path.touch, (self.sprung,))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that nobody has tampered with."""
    path = tmp_path_factory.mktemp("honest") / "model.zip"
    save_model(DQN("MlpPolicy", make_vec_env("CartPole-v1"), buffer_size=100), path, CONFIG)
    return path


@pytest.fixture
def sprung(tmp_path: Path) -> Path:
    """What a pickle makes when it is executed."""
    return tmp_path / "sprung"


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None, honest: Path, sprung: Path) -> Forge:
    """Put the honest model, one member of it exchanged for a pickle, where `MODEL` says in a new working directory."""
    monkeypatch.chdir(tmp_path)
    Path("dqn.yaml").write_text(CONFIG)
    Path(MODEL).parent.mkdir()

    def exchange(member: str) -> None:
        with zipfile.ZipFile(honest) as source, zipfile.ZipFile(MODEL, "w") as forged:
            for name in {*source.namelist(), member}:
                forged.writestr(name, trapped(name, sprung) if name == member else source.read(name))

    return exchange


def trapped(member: str, sprung: Path) -> bytes:
    """The member as a file of its own format around a pickle that touches `sprung`."""
    if member == "data":
        pickled = base64.b64encode(pickle.dumps(Trap(sprung))).decode()
        names = ("policy_class", "lr_schedule", "observation_space", "action_space")
        return json.dumps({name: {":type:": "x", ":serialized:": pickled} for name in names}).encode()
    content = io.BytesIO()
    torch.save({"weight": Trap(sprung)}, content)
    return content.getvalue()


def test_readers_that_execute_pickles_would_spring_the_traps(sprung: Path) -> None:
    pickle.loads(base64.b64decode(json.loads(trapped("data", sprung))["policy_class"][":serialized:"]))
    assert sprung.exists()
    sprung.unlink()
    torch.load(io.BytesIO(trapped("policy.pth", sprung)), weights_only=False)
    assert sprung.exists()


@verbs
@pytest.mark.parametrize("member", READ)
def test_a_pickle_among_the_tensors_is_one_error(
    forge: Forge, sprung: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], member: str
) -> None:
    forge(member)
    code, said = cli.run(arguments), capsys.readouterr().err
    assert not sprung.exists()
    assert code == BAD_INPUT
    assert said.count("error: ") == 1
    assert f"{MODEL} is not a model that can be read: its tensors are damaged" in said
    assert not Path("experiments").exists()


@verbs
def test_pickles_that_nothing_needs_are_not_looked_at(
    forge: Forge, sprung: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    forge("data")
    buffer = Path(MODEL).with_name("replay_buffer.pkl")
    buffer.write_bytes(pickle.dumps(Trap(sprung)))
    code, said = cli.run(arguments), capsys.readouterr().err
    assert not sprung.exists()
    assert code == 0, said
    if arguments[0] == "train":
        assert f"starting with an empty replay buffer: {buffer} is not a replay buffer that can be read" in said


MODULE = Path("downloaded/trap.py")
"""Comes along with a model, and makes a file when it is imported."""


@pytest.fixture
def model_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None, sprung: Path) -> Iterator[Forge]:
    """Put a model with more in its configuration where `MODEL` says, beside files that it would have run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    MODULE.parent.mkdir()
    MODULE.write_text(
        f"import pathlib, gymnasium\n"
        f"pathlib.Path({str(sprung)!r}).touch()\n"
        f"gymnasium.register('Trap-v0', 'gymnasium.envs.classic_control.cartpole:CartPoleEnv')\n"
    )
    group = tmp_path / "configs/group/more.yaml"
    group.parent.mkdir(parents=True)
    group.write_text("# @package _global_\nmodules: [downloaded.trap]\n")
    (tmp_path / "installed/downloaded").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    program = MODULE.with_name("trap.sh")
    program.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    program.chmod(0o755)

    def make(lines: str) -> None:
        config = (
            CONFIG.replace("environment: {id: CartPole-v1,", "environment: {") if "environment.id" in lines else CONFIG
        )
        save_model(DQN("MlpPolicy", make_vec_env("CartPole-v1"), buffer_size=100), Path(MODEL), config + lines)

    yield make
    sys.modules.pop("trap", None)
    gymnasium.registry.pop("Trap-v0", None)


@pytest.mark.parametrize(
    ("lines", "consent"),
    [
        ("modules: [downloaded/trap.py]", "modules=[downloaded/trap.py]"),
        ("modules: [json, downloaded.trap]", "modules=[json,downloaded.trap]"),
        ("environment.id: downloaded.trap:Trap-v0", "modules=[downloaded.trap]"),
        # What the group says is not written in the model.
        ("defaults: [group: more, _self_]", "modules=[downloaded.trap]"),
        # Half of the package is installed.
        ("modules: [downloaded.trap, downloaded.part]", "modules=[downloaded.trap,downloaded.part]"),
        (
            "environment.id: rl_pipeline/Navigation-v0\nunity: {build_path: downloaded/trap.sh}",
            "unity.build_path=downloaded/trap.sh",
        ),
    ],
    ids=["file", "module", "environment", "group", "namespace", "build"],
)
@pytest.mark.parametrize("verb", ["play", "evaluate"])
def test_files_that_a_model_would_have_run_are_named_and_not_run(
    model_with: Forge, sprung: Path, capsys: pytest.CaptureFixture[str], verb: str, lines: str, consent: str
) -> None:
    model_with(lines)
    code, said = cli.run(VERBS[verb]), capsys.readouterr().err
    assert not sprung.exists()
    assert code == BAD_INPUT
    assert said.count("error: ") == 1
    assert f"{MODEL}: its configuration would run downloaded" in said
    assert f"if you trust it, add {consent}" in said


def test_who_trusts_a_model_has_its_modules_imported(
    model_with: Forge, sprung: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_with("modules: [downloaded/trap.py]\nenvironment.id: Trap-v0")
    code = cli.run([*VERBS["evaluate"], "modules=[downloaded/trap.py]"])
    assert code == 0, capsys.readouterr().err
    assert sprung.exists()


def test_a_run_that_is_resumed_from_elsewhere_runs_a_build_and_callbacks_that_are_named_too(
    model_with: Forge, sprung: Path
) -> None:
    model_with("environment.id: rl_pipeline/Navigation-v0\nunity: {build_path: downloaded/trap.sh}\n")
    build, file = "unity.build_path=downloaded/trap.sh", ModelFile.open(Path(MODEL))
    with pytest.raises(InputError, match=re.escape(f"add {build}")):
        config_of_model(file, machine_file=NO_MACHINE_FILE, use=Use.TRAINING)
    assert config_of_model(file, [build], NO_MACHINE_FILE, use=Use.TRAINING).simulation.unity.launch
    assert config_of_model(file, machine_file=NO_MACHINE_FILE, use=Use.POLICY)

    model_with("training.callbacks: {'downloaded.trap:Stop': null}")
    with pytest.raises(InputError, match=re.escape("add modules=[downloaded.trap]")):
        config_of_model(ModelFile.open(Path(MODEL)), use=Use.TRAINING)
    assert config_of_model(ModelFile.open(Path(MODEL)))
    assert not sprung.exists()


def test_arguments_of_players_are_taken_from_no_model(model_with: Forge) -> None:
    model_with("environment.id: rl_pipeline/Navigation-v0\nunity: {arguments: [--camera-rate, 10]}\n")
    file, consent = ModelFile.open(Path(MODEL)), "unity.arguments=[--camera-rate,10]"
    with pytest.raises(InputError, match=re.escape(f"add {consent}")):
        config_of_model(file)
    assert config_of_model(file, [consent]).simulation.unity.arguments == ["--camera-rate", "10"]
