"""Model files: a Stable-Baselines3 zip that also holds the configuration it was trained with.

Nothing of a file is ever unpickled: the networks are rebuilt from the configuration, and only tensors are read from the
zip (`torch.load(weights_only=True)`). A model from elsewhere is therefore as safe as its configuration.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, unwrap_vec_normalize

from rl_pipeline.envs.spaces import describe_space
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import write_bytes

FIELDS = ("mean", "var", "count")


def statistics(normalizer: VecNormalize) -> dict[str, NDArray[np.float64]]:
    """Return copies of the running statistics of a normaliser, by name."""
    return {
        f"{name}.{field}": np.array(getattr(running, field), dtype=np.float64)
        for name, running in _running(normalizer)
        for field in FIELDS
    }


def load_statistics(normalizer: VecNormalize | None, arrays: dict[str, NDArray[np.float64]], where: str) -> None:
    """Set the running statistics of a normaliser.

    Raises `InputError` naming `where` when one side has a normaliser and the other has not, or their shapes differ.
    """
    if normalizer is None:
        if arrays:
            raise InputError(f"{where} was trained with wrappers.normalize, which this configuration does not have")
        return
    if not arrays:
        raise InputError(f"{where} was trained without wrappers.normalize, which this configuration has")
    # Each statistic must be there with the shape of this run's spaces.
    for name, running in _running(normalizer):
        try:
            mean, var, count = (arrays[f"{name}.{field}"] for field in FIELDS)
        except KeyError as error:
            raise InputError(f"{where} normalises other things: it has no statistics of {name}") from error
        if mean.shape != running.mean.shape:
            raise InputError(f"{where}: statistics of {name} have shape {mean.shape}, expected {running.mean.shape}")
        running.mean, running.var, running.count = mean.copy(), var.copy(), float(count)


def hand_over_statistics(source: VecEnv, target: VecEnv) -> None:
    """Copy the statistics of the normaliser of `source` to that of `target`; do nothing without normalisers."""
    giver, taker = unwrap_vec_normalize(source), unwrap_vec_normalize(target)
    if giver is not None and taker is not None:
        load_statistics(taker, statistics(giver), "the training environment")


def _running(normalizer: VecNormalize) -> Iterator[tuple[str, RunningMeanStd]]:
    if normalizer.norm_obs:
        observations: Any = normalizer.obs_rms
        if isinstance(observations, dict):
            yield from ((f"observations/{key}", running) for key, running in observations.items())
        else:
            yield "observations", observations
    yield "returns", normalizer.ret_rms


CONFIG_MEMBER = "rl_pipeline_config.yaml"
SPACES_MEMBER = "rl_pipeline_spaces.json"
NORMALIZER_MEMBER = "rl_pipeline_normalizer.npz"
DAMAGES = (OSError, ValueError, RuntimeError, KeyError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError)
"""Exceptions from reading tensors of a damaged file."""


@dataclass(frozen=True)
class ModelFile:
    """Description of a model file.

    Attributes:
        path: the file.
        config: text of the configuration it was trained with; None in a file that this package did not write.
        spaces: its observation and action space, as text; empty in a file that this package did not write.
        normalizer: statistics of its observations and returns (of `VecNormalize`); empty without a normaliser.
        timesteps: environment steps that it was trained for; None when the file does not say.
        content: the file itself, when it is not at `path`.
    """

    path: Path
    config: str | None
    spaces: dict[str, str]
    normalizer: dict[str, NDArray[np.float64]]
    timesteps: int | None = None
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path) -> ModelFile:
        """Read the description of a file. Raises `InputError` for a file that is missing or not a model."""
        return cls._described(path, None)

    @classmethod
    def read(cls, content: bytes, name: str) -> ModelFile:
        """Read the description of a file in memory; errors call it `name`."""
        return cls._described(Path(name), content)

    @classmethod
    def _described(cls, path: Path, content: bytes | None) -> ModelFile:
        try:
            with zipfile.ZipFile(path if content is None else io.BytesIO(content)) as archive:
                members = archive.namelist()
                if "policy.pth" not in members:
                    raise InputError(f"{path} is not a model: it has no policy.pth inside")
                config = archive.read(CONFIG_MEMBER).decode() if CONFIG_MEMBER in members else None
                spaces = json.loads(archive.read(SPACES_MEMBER)) if SPACES_MEMBER in members else {}
                normalizer = _arrays(archive.read(NORMALIZER_MEMBER)) if NORMALIZER_MEMBER in members else {}
                data = json.loads(archive.read("data")) if "data" in members else {}
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            raise InputError(f"{path} is not a model that can be read: {error}") from error
        timesteps = data.get("num_timesteps") if isinstance(data, dict) else None
        return cls(path, config, spaces, normalizer, timesteps if isinstance(timesteps, int) else None, content)

    def load_into(self, model: BaseAlgorithm) -> None:
        """Load weights and optimizer state into `model`, and the statistics into its normaliser, if it has one.

        Raises `InputError` when it was trained on other spaces, by another algorithm or with another architecture.
        """
        # Spaces first: their error says more than that of a tensor's shape.
        expected = described_spaces(model)
        for kind, found in self.spaces.items():
            if found != expected.get(kind):
                raise InputError(
                    f"{self.path} was trained with the {kind} space {found}, "
                    f"but the environment has {expected.get(kind)}"
                )
        # Tensors alone are read; nothing is unpickled.
        try:
            source = self.path if self.content is None else io.BytesIO(self.content)
            _, parameters, variables = load_from_zip_file(source, load_data=False, device=model.device)
        except DAMAGES as error:
            raise InputError(f"{self.path} is not a model that can be read: its tensors are damaged") from error
        try:
            model.set_parameters(parameters, exact_match=True, device=model.device)
        except (ValueError, RuntimeError, KeyError, AttributeError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            detail = lines[min(1, len(lines) - 1)] if lines else type(error).__name__
            raise InputError(
                f"{self.path} does not fit {type(model).__name__} with this architecture: {detail}"
            ) from error
        # Variables outside of the networks, such as the logarithm of an entropy coefficient.
        for name, value in (variables or {}).items():
            target = getattr(model, name, None)
            if isinstance(target, torch.Tensor) and isinstance(value, torch.Tensor):
                target.data.copy_(value.data)
        if isinstance(weights := getattr(model, "weights", None), torch.Tensor):
            # ARS learns from this flat copy of its policy's parameters.
            flat = torch.nn.utils.parameters_to_vector(model.policy.parameters())
            weights.copy_(flat.detach())
        normalizer = model.get_vec_normalize_env()
        if normalizer is not None and self.config is None:
            raise InputError(
                f"{self.path} is a file of Stable-Baselines3, which holds no statistics of a normaliser: expected "
                "a configuration without wrappers.normalize"
            )
        load_statistics(normalizer, self.normalizer, str(self.path))


def save_model(model: BaseAlgorithm, path: Path, config: str) -> None:
    """Write a model atomically, with its configuration, spaces and normaliser inside; any SB3 can load the file.

    Raises `InputError` when it cannot be written, or a weight is NaN or infinite: `path` keeps its former content then.
    """
    check_weights(model, str(path))
    write_bytes(path, model_bytes(model, config))


def check_weights(model: BaseAlgorithm, what: str) -> None:
    """Raise `InputError` when a weight of the policy is NaN or infinite; the message names the unsaved file `what`."""
    for name, weights in model.policy.state_dict().items():
        if not torch.isfinite(weights).all():
            raise InputError(
                f"{what} is not saved: the policy's {name} has NaN or infinity, it has diverged; lower "
                "algorithm.parameters.learning_rate, clip gradients or scale rewards"
            )


def model_bytes(model: BaseAlgorithm, config: str) -> bytes:
    """Return the content of a model file."""
    content = io.BytesIO()
    model.save(content)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(CONFIG_MEMBER, config)
        archive.writestr(SPACES_MEMBER, json.dumps(described_spaces(model)))
        if (normalizer := model.get_vec_normalize_env()) is not None:
            arrays = io.BytesIO()
            np.savez(arrays, allow_pickle=False, **statistics(normalizer))
            archive.writestr(NORMALIZER_MEMBER, arrays.getvalue())
    return content.getvalue()


def described_spaces(model: BaseAlgorithm) -> dict[str, str]:
    """Describe the two spaces of a model as text."""
    return {"observation": describe_space(model.observation_space), "action": describe_space(model.action_space)}


def _arrays(content: bytes) -> dict[str, NDArray[np.float64]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
