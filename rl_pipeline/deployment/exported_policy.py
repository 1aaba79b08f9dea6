"""A trained policy as a plain function of tensors: what other programs run without Python.

Its outputs are what `model.predict(observation, deterministic=True)` returns: preprocessing, the normaliser of the
observations, squashing and the bounds of the action space are inside.
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
CONTINUOUS, DISCRETE = "continuous_actions", "discrete_actions"
"""ML-Agents' names, which Unity projects know."""
STATES: Final = ("hidden", "cell")
EXPORTABLE: Final = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
"""Observations that a tensor of float32 can hold; the policy makes discrete ones one-hot itself."""


@dataclass(frozen=True)
class ExportedPolicy:
    """A policy and what its inputs and outputs are called.

    Attributes:
        module: takes tensors of float32 in the order of `inputs`, gives those of `outputs`.
        inputs: name to an example of batch size 1: `obs_0`, or the keys of a dictionary of observations; of a
            recurrent policy also `hidden_in` and `cell_in` (layers, batch, width), zeros at the start of an episode.
        outputs: `continuous_actions` (batch, n) or `discrete_actions` (batch, ...), then `hidden_out` and `cell_out`.
    """

    module: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: list[str]

    @property
    def recurrent(self) -> bool:
        """Whether a state is to be carried from step to step."""
        return len(self.outputs) > 1

    def batch_axes(self) -> dict[str, dict[int, str]]:
        """Which axis of each input and output may have any length."""
        state = tuple(f"{name}_{end}" for name in STATES for end in ("in", "out"))
        return {name: {1 if name in state else 0: "batch"} for name in [*self.inputs, *self.outputs]}

    def tensors(self, observation: Any) -> list[torch.Tensor]:
        """The inputs for a batch of observations, at the start of an episode."""
        parts = observation if isinstance(observation, dict) else {OBSERVATION: observation}
        given = [torch.as_tensor(np.asarray(parts[name]), dtype=torch.float32) for name in self.inputs if name in parts]
        batch = len(given[0])
        return given + [
            example.expand(-1, batch, -1).contiguous() for name, example in self.inputs.items() if name not in parts
        ]


def exported_policy(model: BaseAlgorithm) -> ExportedPolicy:
    """The policy of a trained model, on the CPU, with the normaliser of its environments.

    Raises:
        InputError: the observation space is one that no tensors of float32 stand for.
    """
    policy: Any = model.policy.to("cpu").eval()
    space = policy.observation_space
    parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {OBSERVATION: space}
    for name, part in parts.items():
        if not isinstance(part, EXPORTABLE):
            kinds = ", ".join(kind.__name__ for kind in EXPORTABLE)
            raise InputError(
                f"cannot export a policy that observes {part} ({name}): expected {kinds} or a Dict of them"
            )
    normalizer = model.get_vec_normalize_env()
    preprocessing = ObservationNormalization(normalizer) if normalizer is not None and normalizer.norm_obs else None
    inputs = {name: torch.zeros((1, *(part.shape or ())), dtype=torch.float32) for name, part in parts.items()}
    action = CONTINUOUS if isinstance(policy.action_space, spaces.Box) else DISCRETE
    if hasattr(policy, "lstm_actor"):
        shape = (policy.lstm_actor.num_layers, 1, policy.lstm_actor.hidden_size)
        inputs |= {f"{name}_in": torch.zeros(shape) for name in STATES}
        module = _Policy(policy, list(parts), preprocessing, recurrent=True)
        return ExportedPolicy(module, inputs, [action, *(f"{name}_out" for name in STATES)])
    return ExportedPolicy(_Policy(policy, list(parts), preprocessing, recurrent=False), inputs, [action])


class ObservationNormalization(torch.nn.Module):
    """What a normaliser does to observations, by the statistics that it has.

    Args:
        normalizer: Stable-Baselines3's, which normalises observations.
    """

    def __init__(self, normalizer: VecNormalize) -> None:
        super().__init__()
        self._keys: list[str] | None = None
        running = normalizer.obs_rms
        if isinstance(running, dict):
            self._keys = list(running)
        for key, statistics in running.items() if isinstance(running, dict) else [(OBSERVATION, running)]:
            deviation = np.sqrt(statistics.var + normalizer.epsilon)
            self.register_buffer(f"mean_{key}", torch.as_tensor(statistics.mean, dtype=torch.float32))
            self.register_buffer(f"deviation_{key}", torch.as_tensor(deviation, dtype=torch.float32))
        self._limit = normalizer.clip_obs

    def forward(self, observation: Any) -> Any:
        """The observations, scaled and clipped."""
        if self._keys is None:
            return self._scaled(OBSERVATION, observation)
        return {**observation, **{key: self._scaled(key, observation[key]) for key in self._keys}}

    def _scaled(self, key: str, values: torch.Tensor) -> torch.Tensor:
        scaled = (values - getattr(self, f"mean_{key}")) / getattr(self, f"deviation_{key}")
        return torch.clamp(scaled, -self._limit, self._limit)


class _Policy(torch.nn.Module):
    low: torch.Tensor
    high: torch.Tensor

    def __init__(
        self, policy: Any, observations: list[str], preprocessing: torch.nn.Module | None, *, recurrent: bool
    ) -> None:
        super().__init__()
        self.policy, self.preprocessing = policy, preprocessing
        self._observations, self._recurrent = observations, recurrent
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
        distribution, states = self.policy.get_distribution(observation, (hidden, cell), starts)
        return self._bounded(distribution.get_actions(deterministic=True)), *states

    def _bounded(self, actions: torch.Tensor) -> torch.Tensor:
        """Within the bounds of the action space, as `predict` puts them there."""
        space = self.policy.action_space
        if isinstance(space, spaces.Box):
            actions = actions.reshape((-1, *space.shape))
            if self.policy.squash_output:
                return self.low + 0.5 * (actions + 1.0) * (self.high - self.low)
            return torch.max(torch.min(actions, self.high), self.low)
        return actions


def random_observations(space: spaces.Space[Any], count: int, seed: int) -> Any:
    """A batch of observations to compare policies by; unbounded ones are normally distributed. Keys as in `space`."""
    generator = np.random.default_rng(seed)

    def batch(part: Any) -> NDArray[Any]:
        shape = (count, *part.shape)
        if not isinstance(part, spaces.Box):
            values = 2 if isinstance(part, spaces.MultiBinary) else getattr(part, "nvec", getattr(part, "n", 1))
            return generator.integers(0, values, shape).astype(part.dtype)
        bounded = np.isfinite(part.low) & np.isfinite(part.high) & (np.abs(part.high) < 1e6)
        low, high = np.where(bounded, part.low, 0.0), np.where(bounded, part.high, 1.0)
        values = np.where(bounded, generator.uniform(low, high, shape), generator.normal(size=shape))
        return values.astype(part.dtype).astype(np.float32)

    if isinstance(space, spaces.Dict):
        return {name: batch(part) for name, part in space.spaces.items()}
    return batch(space)
