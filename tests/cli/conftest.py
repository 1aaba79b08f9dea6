"""Experiments of two short trainings, and bad files, for tests of the verbs."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.cli.exit import BAD_INPUT

CARTPOLE = """
environment: {id: CartPole-v1, horizon: 40, video_wrapper: false}
algorithm: {name: ppo, parameters: {policy: MlpPolicy, n_steps: 32, batch_size: 32, n_epochs: 1}}
training: {total_timesteps: 256, device: cpu, log_points: 1, eval: {num_evals: 1, num_episodes: 2}}
evaluation: {num_episodes: 3}
simulation: {n_environments: 2}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the experiments `cart_0` and `cart_1`, which differ by their seed."""
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "cartpole.yaml").write_text(CARTPOLE)
    for seed in (0, 1):
        arguments = [f"training.seed={seed}", f"experiment.name=cart_{seed}", f"experiment.directory={folder}/runs"]
        assert cli.run(["train", "--config", str(folder / "cartpole.yaml"), *arguments]) == 0
    return folder / "runs"


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workplace with a copy of these experiments, to be changed at will."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(trained, "experiments")
    return Path("experiments")


Refused = Callable[..., str]


NAVIGATION = """
defaults: [algorithm: ppo_navigation, _self_]
environment: {id: Navigation-v0, video_wrapper: false}
training: {total_timesteps: 64, device: cpu}
simulation: {n_environments: 2, ros: {tcp_port: 0}, unity: {connect_timeout: 1.0}}
"""


FILES = {
    "tabs.yaml": "training:\n\tseed: 1\n",
    "list.yaml": "- training\n",
    "binary.yaml": b"\x00\xff\xfe\x80",
    "group.yaml": "defaults: [{robots: tracked}]\n",
    "choice.yaml": "defaults: [{algorithm: pp0}]\n",
    "broken.yaml": "training: {seed: 1\n",
    "text.zip": "this is no model",
    "half.zip": b"PK\x03\x04 and then the download stopped",
    "notes.txt": "not executable",
}


@pytest.fixture
def place(workplace: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None) -> Path:
    """A folder with two good experiment files and every bad file of `FILES`, which is the working directory."""
    monkeypatch.chdir(workplace)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    (workplace / "navigation.yaml").write_text(NAVIGATION)
    for name, content in FILES.items():
        (workplace / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with zipfile.ZipFile("weights.zip", "w") as archive:
        archive.writestr("policy.pth", "no tensors")
    return workplace


@pytest.fixture
def refused(place: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Call the command, check that it refuses as it should, and return what it said."""

    def call(*arguments: str, run: Callable[[list[str]], int] = cli.run) -> str:
        code = run(list(arguments))
        said = capsys.readouterr().err
        assert code == BAD_INPUT, said
        assert said.count("error: ") == 1, said
        assert "Traceback" not in said
        return said

    return call
