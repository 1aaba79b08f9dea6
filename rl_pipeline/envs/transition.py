"""What one step of N environments gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.observations import Observations


@dataclass
class Transition:
    """One step of N environments; of those that were lost or invalid, the state is the one before.

    Attributes:
        observation: (N, *observation shape), of the state reached; for a Dict space, such an array a key.
        reward: (N,) float64; 0 where the player was lost or the state invalid.
        terminated: (N,) bool.
        truncated: (N,) bool: the episode is too long, its player was lost or its state invalid.
        lost: environments whose player was lost, shape (number of lost,); None: none was, as nearly always.
        invalid: environments whose observation or reward had NaN or infinity; None: none, as nearly always.
    """

    observation: Observations
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    lost: NDArray[np.intp] | None
    invalid: NDArray[np.intp] | None

    def causes(self) -> dict[str, NDArray[np.bool_]]:
        """Why episodes were cut short by their players, as infos of shape (N,); empty, as nearly always."""
        if self.lost is None and self.invalid is None:
            return {}
        everyone = np.arange(len(self.reward))
        reasons = {"player_lost": self.lost, "invalid_state": self.invalid}
        return {name: np.isin(everyone, who) for name, who in reasons.items() if who is not None}
