"""A model from elsewhere, whose files are pickles that would do something: no verb that takes a model executes them."""

from __future__ import annotations

import base64
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.env_util import make_vec_env

from rl_pipeline import cli
from rl_pipeline.cli.endings import BAD_INPUT
from rl_pipeline.experiment.model_files import save_model

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
