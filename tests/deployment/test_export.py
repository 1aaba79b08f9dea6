"""`rl-pipeline export`: what it writes is run here by the libraries that others run it with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from rl_pipeline import cli
from rl_pipeline.deployment import export
from rl_pipeline.evaluation.policy import load_policy
from rl_pipeline.experiment.folder import ExperimentFolder

RUN = """
experiment: {name: swing}
environment: {id: Pendulum-v1, video_wrapper: false}
algorithm: {name: ppo, parameters: {policy: MlpPolicy, n_steps: 32, batch_size: 32, n_epochs: 1}}
training: {total_timesteps: 64, device: cpu, log_points: 0, eval: {num_evals: 0}}
evaluation: {num_episodes: 2}
wrappers: {normalize: {}}
simulation: {n_environments: 2}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "swing.yaml").write_text(RUN)
    config = str(folder / "swing.yaml")
    assert cli.run(["train", "--config", config, f"experiment.directory={folder}/experiments"]) == 0
    return folder


@pytest.fixture
def experiment(place: Path) -> ExperimentFolder:
    return ExperimentFolder(place / "experiments/Pendulum-v1/ppo/swing")


def test_onnx_is_of_an_opset_that_unity_reads_and_takes_any_batch(experiment: ExperimentFolder, tmp_path: Path) -> None:
    file = tmp_path / "agent.onnx"
    assert cli.run(["export", "--experiment", str(experiment.path), "--output", str(file)]) == 0
    written = onnx.load(file)
    assert 7 <= written.opset_import[0].version <= 15
    facts = {item.key: item.value for item in written.metadata_props}
    assert facts["environment"] == "Pendulum-v1"
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for batch in (1, 7):
        (actions,) = session.run(["continuous_actions"], {"obs_0": np.zeros((batch, 3), np.float32)})
        assert actions.shape == (batch, 1)


def test_the_file_normalises_as_the_model_does(experiment: ExperimentFolder, tmp_path: Path) -> None:
    file = tmp_path / "agent.onnx"
    assert cli.run(["export", "--experiment", str(experiment.path), "--output", str(file)]) == 0
    observation = np.array([0.3, -0.9, 4.0], np.float32)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (actions,) = session.run(["continuous_actions"], {"obs_0": observation[None]})
    policy = load_policy(experiment.path)
    np.testing.assert_allclose(actions[0], policy.predict(observation), atol=1e-5)
    normalizer = policy.model.get_vec_normalize_env()
    assert normalizer is not None
    assert np.abs(normalizer.normalize_obs(observation) - observation).max() > 0.1, "or this test would show nothing"


def test_torchscript_runs_without_this_package(experiment: ExperimentFolder) -> None:
    assert cli.run(["export", "--experiment", str(experiment.path), "--model", "model", "--format", "torchscript"]) == 0
    script = torch.jit.load(experiment.path / "model.pt")
    assert script(torch.zeros(4, 3)).shape == (4, 1)


def test_a_file_that_acts_in_another_way_is_not_written(
    experiment: ExperimentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = export._to_torchscript

    def distorted(policy: export.ExportedPolicy) -> bytes:
        with torch.no_grad():
            for parameter in policy.module.parameters():
                parameter.add_(0.1)
        content = honest(policy)
        with torch.no_grad():
            for parameter in policy.module.parameters():
                parameter.sub_(0.1)
        return content

    monkeypatch.setattr(export, "_to_torchscript", distorted)
    file = tmp_path / "agent.pt"
    arguments = ["--experiment", str(experiment.path), "--format", "torchscript", "--output", str(file)]
    assert cli.run(["export", *arguments]) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "onxx"], "--format: unknown format 'onxx'; did you mean 'onnx'"),
        (["--output", "nowhere/agent.onnx"], "--output: there is no folder nowhere"),
        (["--model", "finest"], "unknown model 'finest'"),
    ],
)
def test_bad_requests_are_refused(
    experiment: ExperimentFolder, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.run(["export", "--experiment", str(experiment.path), *arguments]) == 2
    assert message in capsys.readouterr().err
