"""A replay buffer as part of a run's state: exactly as it is, position and all."""

from __future__ import annotations

import warnings

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.buffer_arrays import buffer_arrays
from rl_pipeline.experiment.state_files import State


class ReplayBufferState:
    """The replay buffer of an off-policy model."""

    def __init__(self, model: OffPolicyAlgorithm) -> None:
        self._model = model

    @property
    def _buffer(self) -> ReplayBuffer:
        assert self._model.replay_buffer is not None
        return self._model.replay_buffer

    def state_dict(self) -> State:
        """The filled rows of its arrays, and where the next one goes."""
        buffer = self._buffer
        filled = buffer.size()
        state: State = {name: array[:filled] for name, array in buffer_arrays(buffer).items()}
        if isinstance(buffer, HerReplayBuffer):
            state["current_ep_start"] = buffer._current_ep_start
        return state | {"position": buffer.pos, "full": buffer.full}

    def load_state_dict(self, state: State) -> None:
        """Fill the buffer. Raises `InputError` when it is one of another size, of other spaces or environments."""
        buffer = self._buffer
        filled = buffer.buffer_size if state["full"] else state["position"]
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
    """Note that the episodes under way will not go on: their environments are about to be reset."""
    if isinstance(buffer, HerReplayBuffer):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            buffer.truncate_last_trajectory()
    elif buffer is not None and buffer.optimize_memory_usage and buffer.size():
        # There the next observation is the next row's: it must not be used.
        buffer.dones[buffer.pos - 1] = True
