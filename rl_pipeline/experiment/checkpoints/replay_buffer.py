"""Replay buffers as files: only the part that is filled is written, and reading executes nothing.

The file is a pickle of Stable-Baselines3's own buffer class, which SB3's `load_replay_buffer` reads too. Here it is
read by an unpickler that admits only what such a buffer is made of.
"""

from __future__ import annotations

import copy
import enum
import logging
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import DictReplayBuffer, NStepReplayBuffer, ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import whole_file
from rl_pipeline.experiment.checkpoints.run_state import State

EPISODES = ("ep_start", "ep_length")
"""Start and length of the episode of each transition, for hindsight; shape (rows, environments)."""
NAMES = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts", *EPISODES)


def buffer_arrays(buffer: Any) -> dict[str, Any]:
    """The arrays of a buffer, leading axis time; those of dictionary observations as `observations.<key>`."""
    arrays: dict[str, Any] = {}
    for name in NAMES:
        value = getattr(buffer, name, None)
        if isinstance(value, dict):
            arrays |= {f"{name}.{key}": array for key, array in value.items()}
        elif value is not None:
            arrays[name] = value
    return arrays


def set_buffer_array(buffer: Any, name: str, array: Any) -> None:
    """Put an array in the place of the one that `buffer_arrays` calls `name`."""
    name, _, key = name.partition(".")
    setattr(buffer, name, {**getattr(buffer, name), key: array} if key else array)


class ReplayBufferState:
    """The replay buffer of an off-policy model."""

    def __init__(self, model: OffPolicyAlgorithm) -> None:
        self._model = model

    @property
    def _buffer(self) -> ReplayBuffer:
        assert self._model.replay_buffer is not None
        return self._model.replay_buffer

    def state_dict(self) -> State:
        """Return the filled rows of the arrays, and the position of the next one."""
        buffer = self._buffer
        filled = buffer.size()
        state: State = {name: array[:filled] for name, array in buffer_arrays(buffer).items()}
        if isinstance(buffer, HerReplayBuffer):
            state["current_ep_start"] = buffer._current_ep_start
        return state | {"position": buffer.pos, "full": buffer.full}

    def load_state_dict(self, state: State) -> None:
        """Fill the buffer. Raises `InputError` for the state of another size, other spaces or environments."""
        buffer = self._buffer
        filled = buffer.buffer_size if state["full"] else state["position"]
        # Rows beyond the filled ones are never read, so they stay as they were allocated.
        for name, array in buffer_arrays(buffer).items():
            found = state[name] if name in state else np.empty(0)
            if found.shape != (filled, *array.shape[1:]):
                raise InputError(
                    f"the checkpoint's replay buffer has {name} of shape {found.shape}, expected "
                    f"{(filled, *array.shape[1:])}: resume with the buffer_size and n_environments of before"
                )
            array[:filled] = found
        if isinstance(buffer, HerReplayBuffer):
            buffer._current_ep_start = state["current_ep_start"].copy()
        buffer.pos, buffer.full = state["position"], state["full"]


def end_episodes(buffer: ReplayBuffer | None) -> None:
    """Close the episodes in progress: their environments are about to be reset."""
    if isinstance(buffer, HerReplayBuffer):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            buffer.truncate_last_trajectory()
    elif buffer is not None and buffer.optimize_memory_usage and buffer.size():
        # There the next observation is the next row's: it must not be used.
        buffer.dones[buffer.pos - 1] = True


logger = logging.getLogger(__name__)

BUFFERS = (ReplayBuffer, DictReplayBuffer, NStepReplayBuffer, HerReplayBuffer)
"""Classes of buffers that a file can hold."""
DAMAGES = (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError)
"""Exceptions from reading a file that is cut off or forged."""

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
    "stable_baselines3.common.buffers": {"ReplayBuffer", "DictReplayBuffer", "NStepReplayBuffer"},
    "stable_baselines3.her.goal_selection_strategy": {"GoalSelectionStrategy"},
    "stable_baselines3.her.her_replay_buffer": {"HerReplayBuffer"},
    "torch": {"device"},
}


class _BufferPickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        # Before Python 3.11.4 an Enum writes itself as a call of getattr, which reading must never admit.
        return (type(obj), (obj.value,)) if isinstance(obj, enum.Enum) else NotImplemented


class _BufferUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name not in ADMITTED.get(module, ()):
            raise pickle.UnpicklingError(f"a replay buffer does not contain {module}.{name}")
        return super().find_class(module, name)


def save_replay_buffer(model: OffPolicyAlgorithm, path: Path) -> None:
    """Write the filled part of the model's replay buffer atomically; a model without one writes nothing.

    A buffer of a class that could not be read again costs a warning.
    """
    buffer = model.replay_buffer
    if buffer is None:
        return
    if type(buffer) not in BUFFERS:
        logger.warning(
            "%s is not written: a %s could not be read again; a resumed run has it from its state",
            path.name, type(buffer).__name__,
        )  # fmt: skip
        return
    # A copy that shares the arrays: they may take most of the memory.
    saved = copy.copy(buffer)
    saved.device = torch.device("cpu")
    if not buffer.full:
        filled = max(1, buffer.pos)
        saved.buffer_size, saved.pos, saved.full = filled, 0, True
        for name, array in buffer_arrays(buffer).items():
            set_buffer_array(saved, name, array[:filled])
        if isinstance(saved, HerReplayBuffer):
            saved.infos = saved.infos[:filled]
            saved._current_ep_start = saved._current_ep_start % filled
    with whole_file(path) as temporary, temporary.open("wb") as file:
        _BufferPickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(saved)


def load_replay_buffer(model: OffPolicyAlgorithm, path: Path) -> int:
    """Fill the model's replay buffer from a file, and return the number of transitions per environment.

    Raises `InputError` when the file is not a replay buffer or one of other spaces or another number of environments.
    """
    target = model.replay_buffer
    assert target is not None
    try:
        with path.open("rb") as file:
            saved = _BufferUnpickler(file).load()
        end_episodes(saved)
        arrays, targets = buffer_arrays(saved), buffer_arrays(target)
        filled = len(arrays["rewards"])
        # Rows from the oldest to the newest, and no more than the new buffer holds.
        order = np.roll(np.arange(filled), -saved.pos)[-target.buffer_size :]
        if isinstance(saved, HerReplayBuffer):
            arrays |= _moved_episodes(saved, order)
    except DAMAGES as error:
        raise InputError(f"{path} is not a replay buffer that can be read: {error}") from error
    for name, array in targets.items():
        if name not in arrays or arrays[name].shape[1:] != array.shape[1:]:
            found = arrays[name].shape[1:] if name in arrays else None
            raise InputError(f"{path}: {name} of shape {found} do not fit this run's {array.shape[1:]}")
    if "ep_length" in targets and not arrays["ep_length"][order].any():
        raise InputError(f"{path}: no whole episode fits this run's buffer, and hindsight learns from no other")
    # All shapes fit: from here on nothing can fail half-way.
    for name, array in targets.items():
        array[: len(order)] = arrays[name][order]
    target.pos, target.full = len(order) % target.buffer_size, len(order) == target.buffer_size
    if isinstance(target, HerReplayBuffer):
        target._current_ep_start[:] = target.pos
    return len(order)


def _moved_episodes(saved: HerReplayBuffer, order: NDArray[np.intp]) -> dict[str, NDArray[np.int64]]:
    """Renumber the episodes of a buffer for rows in another order; episodes without their first row are dropped."""
    place = np.full(len(saved.ep_start), -1)
    place[order] = np.arange(len(order))
    start = place[saved.ep_start]
    return {"ep_start": np.maximum(start, 0), "ep_length": np.where(start < 0, 0, saved.ep_length)}
