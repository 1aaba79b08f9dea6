"""Trained policy as a module of tensors, for other programs to run without Python.

Its outputs are those of `model.predict(observation, deterministic=True)`: it includes preprocessing, the normaliser of
the observations, squashing, and the bounds of the action space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecNormalize

OBSERVATION: Final = "obs_0"
CONTINUOUS: Final = "continuous_actions"
DISCRETE: Final = "discrete_actions"
"""Names of ML-Agents, for which Unity projects are written."""
STATES: Final = ("hidden", "cell")
EXPORTABLE: Final = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
"""Observation spaces that a tensor of float32 can hold; the policy one-hot encodes discrete ones."""


@dataclass(frozen=True)
class ExportedPolicy:
    """A policy, with the names of its inputs and outputs.

    Attributes:
        module: maps tensors of float32 in the order of `inputs` to those of `outputs`.
        inputs: example of batch size 1 by name: `obs_0`, or the keys of a dictionary of observations; for a
            recurrent policy also `hidden_in` and `cell_in` (layers, batch, width), zeros at the start of an episode.
        outputs: `continuous_actions` (batch, n) or `discrete_actions` (batch, ...), then `hidden_out` and `cell_out`.
    """

    module: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: list[str]

    @classmethod
    def of(cls, model: BaseAlgorithm) -> ExportedPolicy:
        """Export the policy of a trained model, on the CPU, with the normaliser of its environments.

        Raises:
            InputError: tensors of float32 cannot hold the observations.
        """
        policy: Any = model.policy.to("cpu").eval()
        space = policy.observation_space
        parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {OBSERVATION: space}
        # Refuse observations such as texts and graphs.
        for name, part in parts.items():
            if not isinstance(part, EXPORTABLE):
                kinds = ", ".join(kind.__name__ for kind in EXPORTABLE)
                raise InputError(
                    f"cannot export a policy that observes {part} ({name}): expected {kinds} or a Dict of them"
                )
        # Inputs and outputs.
        normalizer = model.get_vec_normalize_env()
        preprocessing = ObservationNormalization(normalizer) if normalizer is not None and normalizer.norm_obs else None
        inputs = {name: torch.zeros((1, *(part.shape or ())), dtype=torch.float32) for name, part in parts.items()}
        action = CONTINUOUS if isinstance(policy.action_space, spaces.Box) else DISCRETE
        # A recurrent policy also takes and returns its state.
        if hasattr(policy, "lstm_actor"):
            shape = (policy.lstm_actor.num_layers, 1, policy.lstm_actor.hidden_size)
            inputs |= {f"{name}_in": torch.zeros(shape) for name in STATES}
            module = _PolicyModule(policy, list(parts), preprocessing, recurrent=True)
            return cls(module, inputs, [action, *(f"{name}_out" for name in STATES)])
        return cls(_PolicyModule(policy, list(parts), preprocessing, recurrent=False), inputs, [action])

    @property
    def recurrent(self) -> bool:
        """True if a state must be carried from step to step."""
        return len(self.outputs) > 1

    def batch_axes(self) -> dict[str, dict[int, str]]:
        """Return the axis of each input and output that has the length of the batch."""
        state = tuple(f"{name}_{end}" for name in STATES for end in ("in", "out"))
        return {name: {1 if name in state else 0: "batch"} for name in [*self.inputs, *self.outputs]}

    def tensors(self, observation: Any) -> list[torch.Tensor]:
        """Return the inputs for a batch of observations at the start of an episode."""
        parts = observation if isinstance(observation, dict) else {OBSERVATION: observation}
        given = [torch.as_tensor(np.asarray(parts[name]), dtype=torch.float32) for name in self.inputs if name in parts]
        batch = len(given[0])
        return given + [
            example.expand(-1, batch, -1).contiguous() for name, example in self.inputs.items() if name not in parts
        ]


class ObservationNormalization(torch.nn.Module):
    """Normalisation of observations by the statistics of a trained normaliser.

    Args:
        normalizer: of Stable-Baselines3, with `norm_obs`.
    """

    def __init__(self, normalizer: VecNormalize) -> None:
        super().__init__()
        self._keys: list[str] | None = None
        running = normalizer.obs_rms
        if isinstance(running, dict):
            self._keys = list(running)
        # Buffers are part of the module's file, unlike attributes.
        for key, statistics in running.items() if isinstance(running, dict) else [(OBSERVATION, running)]:
            deviation = np.sqrt(statistics.var + normalizer.epsilon)
            self.register_buffer(f"mean_{key}", torch.as_tensor(statistics.mean, dtype=torch.float32))
            self.register_buffer(f"deviation_{key}", torch.as_tensor(deviation, dtype=torch.float32))
        self._limit = normalizer.clip_obs

    def forward(self, observation: Any) -> Any:
        """Return the observations, scaled and clipped."""
        if self._keys is None:
            return self._scaled(OBSERVATION, observation)
        return {**observation, **{key: self._scaled(key, observation[key]) for key in self._keys}}

    def _scaled(self, key: str, values: torch.Tensor) -> torch.Tensor:
        scaled = (values - getattr(self, f"mean_{key}")) / getattr(self, f"deviation_{key}")
        return torch.clamp(scaled, -self._limit, self._limit)


class _PolicyModule(torch.nn.Module):
    """Preprocessing, policy and bounds of the actions as one module."""

    low: torch.Tensor
    high: torch.Tensor

    def __init__(
        self, policy: Any, observations: list[str], preprocessing: torch.nn.Module | None, *, recurrent: bool
    ) -> None:
        super().__init__()
        self.policy = policy
        self.preprocessing = preprocessing
        self._observations = observations
        self._recurrent = recurrent
        space = policy.action_space
        if isinstance(space, spaces.Box):
            self.register_buffer("low", torch.as_tensor(space.low, dtype=torch.float32))
            self.register_buffer("high", torch.as_tensor(space.high, dtype=torch.float32))

    def forward(self, *inputs: torch.Tensor) -> Any:
        parts = dict(zip(self._observations, inputs, strict=False))
        observation: Any = parts.get(OBSERVATION, parts)
        if self.preprocessing is not None:
            observation = self.preprocessing(observation)
        if not self._recurrent:
            return self._bounded(self.policy._predict(observation, deterministic=True))
        hidden, cell = inputs[len(self._observations) :]
        starts = torch.zeros(hidden.shape[1])
        # No episode starts within a call: the caller passes zeros as the state at the start of an episode.
        distribution, states = self.policy.get_distribution(observation, (hidden, cell), starts)
        return self._bounded(distribution.get_actions(deterministic=True)), *states

    def _bounded(self, actions: torch.Tensor) -> torch.Tensor:
        """Return actions within the bounds of the action space, as `predict` does."""
        space = self.policy.action_space
        if isinstance(space, spaces.Box):
            actions = actions.reshape((-1, *space.shape))
            if self.policy.squash_output:
                return self.low + 0.5 * (actions + 1.0) * (self.high - self.low)
            return torch.max(torch.min(actions, self.high), self.low)
        return actions


def random_observations(space: spaces.Space[Any], count: int, seed: int) -> Any:
    """Return `count` random observations of a space, as arrays to compare policies by; unbounded ones are normal."""
    generator = np.random.default_rng(seed)

    def batch(part: Any) -> NDArray[Any]:
        shape = (count, *part.shape)
        # Discrete values are exact in float32.
        if not isinstance(part, spaces.Box):
            values = 2 if isinstance(part, spaces.MultiBinary) else getattr(part, "nvec", getattr(part, "n", 1))
            return generator.integers(0, values, shape).astype(part.dtype)
        # Bounds of 1e6 and more, such as the largest float32, stand for none.
        bounded = np.isfinite(part.low) & np.isfinite(part.high) & (np.abs(part.high) < 1e6)
        low, high = np.where(bounded, part.low, 0.0), np.where(bounded, part.high, 1.0)
        values = np.where(bounded, generator.uniform(low, high, shape), generator.normal(size=shape))
        return values.astype(part.dtype).astype(np.float32)

    if isinstance(space, spaces.Dict):
        return {name: batch(part) for name, part in space.spaces.items()}
    return batch(space)
