from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.env_util import make_vec_env

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import ModelFile, save_model


def ppo(environment: str = "CartPole-v1", seed: int = 0, width: int = 8) -> PPO:
    venv = make_vec_env(environment)
    return PPO("MlpPolicy", venv, n_steps=16, batch_size=16, seed=seed, policy_kwargs={"net_arch": [width]})


def test_a_saved_model_brings_its_weights_and_its_configuration(tmp_path: Path) -> None:
    saved, other = ppo(seed=0), ppo(seed=1)
    save_model(saved, tmp_path / "model.zip", "experiment: {}\n")
    file = ModelFile.open(tmp_path / "model.zip")
    file.load_into(other)
    assert file.config == "experiment: {}\n"
    for name, weights in saved.policy.state_dict().items():
        assert torch.equal(weights, other.policy.state_dict()[name])


def test_stable_baselines3_loads_the_file_too(tmp_path: Path) -> None:
    save_model(ppo(), tmp_path / "model.zip", "")
    assert PPO.load(tmp_path / "model.zip").policy is not None


def test_the_entropy_coefficient_of_sac_is_restored(tmp_path: Path) -> None:
    def sac(seed: int) -> SAC:
        return SAC("MlpPolicy", make_vec_env("Pendulum-v1"), buffer_size=50, seed=seed, policy_kwargs={"net_arch": [8]})

    saved, other = sac(0), sac(1)
    saved.log_ent_coef.data.fill_(0.7)
    save_model(saved, tmp_path / "model.zip", "")
    ModelFile.open(tmp_path / "model.zip").load_into(other)
    assert other.log_ent_coef.item() == pytest.approx(0.7)


def test_another_observation_space_is_refused_naming_both(tmp_path: Path) -> None:
    save_model(ppo(), tmp_path / "model.zip", "")
    with pytest.raises(InputError, match=r"model.zip was trained with the observation space Box\(\[-4.8.* has Box\("):
        ModelFile.open(tmp_path / "model.zip").load_into(ppo("Acrobot-v1"))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    save_model(ppo(width=8), tmp_path / "model.zip", "")
    with pytest.raises(InputError, match=r"does not fit PPO with this architecture: size mismatch") as refused:
        ModelFile.open(tmp_path / "model.zip").load_into(ppo(width=4))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_what_is_not_a_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model.zip is not a model that can be read"):
        ModelFile.open(path)


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_in_a_model_is_never_executed(tmp_path: Path) -> None:
    model, path, sprung = ppo(), tmp_path / "model.zip", tmp_path / "sprung"
    content = io.BytesIO()
    model.save(content)
    with zipfile.ZipFile(content) as honest, zipfile.ZipFile(path, "w") as forged:
        for name in honest.namelist():
            forged.writestr(name, pickle.dumps(Trap(sprung)) if name == "policy.pth" else honest.read(name))
    with pytest.raises(InputError):
        ModelFile.open(path).load_into(model)
    assert not sprung.exists()


def test_a_model_with_nan_is_not_saved_over_a_sound_one(tmp_path: Path) -> None:
    model, path = ppo(), tmp_path / "model.zip"
    save_model(model, path, "")
    before = path.read_bytes()
    with torch.no_grad():
        model.policy.value_net.bias[0] = float("nan")
    with pytest.raises(InputError, match=r"model.zip is not saved: the policy's value_net.bias has NaN .* diverged"):
        save_model(model, path, "")
    assert path.read_bytes() == before


def test_a_file_tells_how_long_its_model_was_trained(tmp_path: Path) -> None:
    save_model(ppo().learn(32), tmp_path / "model.zip", "")
    assert ModelFile.open(tmp_path / "model.zip").timesteps == 32
