"""The model that a training starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from stable_baselines3 import SAC

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import save_buffer
from rl_pipeline.experiment.checkpoints.model_file import save_model
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.pretrained import PretrainedModel

MakeConfig = Callable[..., Config]


def make_model(seed: int) -> SAC:
    settings = {"buffer_size": 50, "learning_starts": 8, "policy_kwargs": {"net_arch": [4]}}
    return SAC("MlpPolicy", "Pendulum-v1", device="cpu", seed=seed, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ExperimentFolder:
    """A folder with a model, and its replay buffer of 12 transitions."""
    folder = ExperimentFolder(tmp_path_factory.mktemp("pretrained"))
    model = make_model(0).learn(12)
    save_model(model, folder.model, "")
    save_buffer(model, folder)
    return folder


def test_weights_and_replay_buffer_are_taken_and_no_random_actions_follow(
    make_config: MakeConfig, folder: ExperimentFolder
) -> None:
    pretrained = PretrainedModel.of(make_config(training={"pretrained_model": str(folder.model)}))
    assert pretrained is not None
    model = make_model(1)
    pretrained.start_from(model)
    expected = make_model(2)
    pretrained.load_into(expected)
    assert all(
        torch.equal(value, expected.policy.state_dict()[name]) for name, value in model.policy.state_dict().items()
    )
    assert model.replay_buffer is not None
    assert model.replay_buffer.size() == 12
    assert model.learning_starts == 0


def test_model_alone_starts_with_an_empty_replay_buffer(
    make_config: MakeConfig, folder: ExperimentFolder, tmp_path: Path
) -> None:
    alone = tmp_path / "model.zip"
    alone.write_bytes(folder.model.read_bytes())
    pretrained = PretrainedModel.of(make_config(training={"pretrained_model": str(alone)}))
    assert pretrained is not None
    model = make_model(1)
    pretrained.start_from(model)
    assert model.replay_buffer is not None
    assert model.replay_buffer.size() == 0
    assert model.learning_starts == 8


def test_missing_model_is_refused_and_none_is_none(make_config: MakeConfig) -> None:
    assert PretrainedModel.of(make_config()) is None
    with pytest.raises(InputError, match=r"training\.pretrained_model: "):
        PretrainedModel.of(make_config(training={"pretrained_model": "lost.zip"}))
