"""Lost players of a batch: remembered until the next reset, which has the simulation replace them.

A lost player appears in two forms: as `{environment id: reason}` until it is replaced, and as (N,) bool, the
environments that it costs an episode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.simulation.simulation import Simulation


class LostPlayers:
    """The lost players of N environments, with the reasons.

    Args:
        simulation: the simulation that replaces them.
        players: environment ids of the players.
        worlds: environments per player, N in all.

    Attributes:
        player_of: (N,) intp, the environment id of each environment's player.
        cut_off: (N,) bool, the environments whose player was replaced in the middle of their episode, by the reset of
            another one; None: there are none.
    """

    def __init__(self, simulation: Simulation, players: Sequence[int], worlds: int) -> None:
        self.player_of: NDArray[np.intp] = np.repeat(np.asarray(players, np.intp), worlds)
        self._simulation = simulation
        self._worlds = worlds
        self._reasons: dict[int, str] = {}
        self.cut_off: NDArray[np.bool_] | None = None

    def add(self, lost: Mapping[int, str]) -> None:
        """Remember lost players, with the reasons; an empty reason stands for silence."""
        self._reasons.update(lost)

    def add_invalid(self, environments: NDArray[np.intp]) -> None:
        """Remember the players of environments that begin an episode with NaN or infinity, shape (K,)."""
        self.add(dict.fromkeys(self.player_of[environments].tolist(), "begins an episode with NaN or infinity"))

    def take_step(self, lost: Mapping[int, str]) -> NDArray[np.bool_]:
        """Remember the players that a step has lost.

        Returns:
            (N,) bool, the environments whose episode has ended thereby, or when their player was replaced.
        """
        self.add(lost)
        environments = self._environments_of(lost)
        return environments if self.cut_off is None else environments | self.cut_off

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Begin episodes in these environments, shape (K,), after replacing the players that are lost."""
        if self._reasons:
            self.replace(environments)
        if self.cut_off is not None:
            self.cut_off[environments] = False
            self.cut_off = self.cut_off if self.cut_off.any() else None

    def replace(self, environments: NDArray[np.intp]) -> NDArray[np.intp]:
        """Have the simulation replace the lost players, while an episode begins in `environments`, shape (K,).

        Returns:
            Those of `environments` that are on a new player.

        Raises:
            PlayerError: a player was restarted too often (`unity.max_lifetime_restarts`).
        """
        lost = self._reasons
        self._reasons = {}
        self._simulation.replace(lost)
        replaced = self._environments_of(lost)
        if self._worlds > 1:
            # The other worlds of these players have lost their episodes: they end with their next step.
            cut_off = replaced.copy() if self.cut_off is None else self.cut_off | replaced
            cut_off[environments] = False
            self.cut_off = cut_off if cut_off.any() else None
        return environments[replaced[environments]]

    def _environments_of(self, players: Mapping[int, str]) -> NDArray[np.bool_]:
        """Return the environments of players, shape (N,) bool."""
        return np.isin(self.player_of, list(players))
