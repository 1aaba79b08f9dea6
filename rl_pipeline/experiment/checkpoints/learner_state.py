"""State of a learning model and of the random generators of its run."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import ModelFile, model_bytes
from rl_pipeline.experiment.checkpoints.run_state import State

COUNTERS = (
    "num_timesteps",
    "_episode_num",
    "_n_updates",
    "_n_calls",
    "exploration_rate",
    "_current_progress_remaining",
)
"""Counters of the algorithms, and values derived from them; no algorithm has all of them."""


class LearnerState:
    """Weights, optimizers, normaliser and counters of a model.

    Args:
        model: the learning model.
        config: text of the configuration, kept inside the model's file.
    """

    def __init__(self, model: BaseAlgorithm, config: str) -> None:
        self._model, self._config = model, config

    def state_dict(self) -> State:
        """Return the model's file as bytes, the counters, and the recent episodes behind the logged means."""
        content = np.frombuffer(model_bytes(self._model, self._config), dtype=np.uint8)
        counters = {name: getattr(self._model, name) for name in COUNTERS if hasattr(self._model, name)}
        episodes = [{key: float(value) for key, value in info.items()} for info in self._model.ep_info_buffer or ()]
        successes = [float(success) for success in self._model.ep_success_buffer or ()]
        return {"model": content, "counters": counters, "episodes": episodes, "successes": successes}

    def load_state_dict(self, state: State) -> None:
        """Restore the model. Raises `InputError` for one of other spaces, algorithm or architecture."""
        ModelFile.read(state["model"].tobytes(), "the checkpoint").load_into(self._model)
        for name, value in state["counters"].items():
            setattr(self._model, name, value)
        self._model._num_timesteps_at_start = self._model.num_timesteps
        window = self._model._stats_window_size
        self._model.ep_info_buffer = deque(state["episodes"], maxlen=window)
        self._model.ep_success_buffer = deque(state["successes"], maxlen=window)


class RandomState:
    """Random generators of a run: the global ones of Python, NumPy and PyTorch, and that of the action space."""

    def __init__(self, model: BaseAlgorithm) -> None:
        self._space = model.action_space

    def state_dict(self) -> State:
        """Return the state of each generator; for CUDA, one row for each device."""
        version, numbers, gauss = random.getstate()
        _, key, position, has_gauss, cached = np.random.get_state()
        state: State = {
            "python": [version, list(numbers), gauss],
            "numpy": np.asarray(key),
            "numpy_rest": [int(position), int(has_gauss), float(cached)],
            "torch": torch.get_rng_state().numpy(),
            "action_space": self._space.np_random.bit_generator.state,
        }
        if torch.cuda.is_available():
            state["cuda"] = np.stack([device.numpy() for device in torch.cuda.get_rng_state_all()])
        return state

    def load_state_dict(self, state: State) -> None:
        """Restore the generators; those of CUDA only on a machine with as many devices."""
        version, numbers, gauss = state["python"]
        random.setstate((version, tuple(numbers), gauss))
        np.random.set_state(("MT19937", state["numpy"], *state["numpy_rest"]))
        torch.set_rng_state(torch.from_numpy(state["torch"].copy()))
        self._load_generator(state["action_space"])
        if "cuda" in state and torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([torch.from_numpy(row.copy()) for row in state["cuda"]])

    def _load_generator(self, state: dict[str, Any]) -> None:
        generator = self._space.np_random.bit_generator
        if state["bit_generator"] != type(generator).__name__:
            raise InputError(f"the checkpoint holds a {state['bit_generator']}, expected {type(generator).__name__}")
        generator.state = state
