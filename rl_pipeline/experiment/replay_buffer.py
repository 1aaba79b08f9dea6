"""Replay buffers as files: only the part that is filled is written, and reading executes nothing.

The file is a pickle of Stable-Baselines3's own buffer class, which SB3's `load_replay_buffer` reads too. Here it is
read by an unpickler that admits only what such a buffer is made of.
"""

from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.writing import whole_file

logger = logging.getLogger(__name__)

ADMITTED = {
    "collections": {"OrderedDict"},
    "gymnasium.spaces.box": {"Box"},
    "gymnasium.spaces.dict": {"Dict"},
    "gymnasium.spaces.discrete": {"Discrete"},
    "gymnasium.spaces.multi_binary": {"MultiBinary"},
    "gymnasium.spaces.multi_discrete": {"MultiDiscrete"},
    "numpy": {"dtype", "ndarray"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "numpy.random._pcg64": {"PCG64"},
    "numpy.random._pickle": {"__bit_generator_ctor", "__generator_ctor"},
    "numpy.random.bit_generator": {"SeedSequence", "__pyx_unpickle_SeedSequence"},
    "stable_baselines3.common.buffers": {"ReplayBuffer", "DictReplayBuffer"},
    "torch": {"device"},
}


class _BufferUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name not in ADMITTED.get(module, ()):
            raise pickle.UnpicklingError(f"a replay buffer does not contain {module}.{name}")
        return super().find_class(module, name)


def save_replay_buffer(model: OffPolicyAlgorithm, path: Path) -> None:
    """Write the filled part of the model's replay buffer whole; a model without one writes nothing."""
    buffer = model.replay_buffer
    if buffer is None or type(buffer) not in (ReplayBuffer, DictReplayBuffer):
        return
    saved = copy.copy(buffer)
    saved.device = torch.device("cpu")
    if not buffer.full:
        saved.buffer_size, saved.pos, saved.full = max(1, buffer.pos), 0, True
        for name, array in _arrays(buffer).items():
            _assign(saved, name, array[: max(1, buffer.pos)])
    with whole_file(path) as temporary, temporary.open("wb") as file:
        pickle.dump(saved, file, protocol=pickle.HIGHEST_PROTOCOL)


def load_replay_buffer(model: OffPolicyAlgorithm, path: Path) -> int:
    """Fill the model's replay buffer from a file. Returns the transitions per environment that were read.

    Raises `InputError` when the file is not a replay buffer or one of other spaces or another number of environments.
    """
    target = model.replay_buffer
    assert target is not None
    try:
        with path.open("rb") as file:
            saved = _BufferUnpickler(file).load()
        arrays, targets = _arrays(saved), _arrays(target)
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, ValueError) as error:
        raise InputError(f"{path} is not a replay buffer that can be read: {error}") from error
    filled = len(arrays["rewards"])
    # Rows from the oldest to the newest, and no more than the new buffer holds.
    order = np.roll(np.arange(filled), -saved.pos)[-target.buffer_size :]
    for name, array in targets.items():
        if name not in arrays or arrays[name].shape[1:] != array.shape[1:]:
            found = arrays[name].shape[1:] if name in arrays else None
            raise InputError(f"{path}: {name} of shape {found} do not fit this run's {array.shape[1:]}")
    for name, array in targets.items():
        array[: len(order)] = arrays[name][order]
    target.pos, target.full = len(order) % target.buffer_size, len(order) == target.buffer_size
    return len(order)


def _arrays(buffer: Any) -> dict[str, Any]:
    """The arrays of a buffer, leading axis time; those of dictionary observations as `observations.<key>`."""
    arrays: dict[str, Any] = {}
    for name in ("observations", "next_observations", "actions", "rewards", "dones", "timeouts"):
        value = getattr(buffer, name, None)
        if isinstance(value, dict):
            arrays |= {f"{name}.{key}": array for key, array in value.items()}
        elif value is not None:
            arrays[name] = value
    return arrays


def _assign(buffer: Any, name: str, array: Any) -> None:
    name, _, key = name.partition(".")
    if not key:
        setattr(buffer, name, array)
        return
    setattr(buffer, name, {**getattr(buffer, name), key: array})
