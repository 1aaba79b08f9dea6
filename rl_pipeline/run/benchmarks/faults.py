"""What happens to players on a bad day, made to happen every few seconds."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
from typing import Final

from rl_pipeline.simulation.simulation import Simulation

KINDS: Final = {"one killed": 5, "one stopped": 2, "one connection cut": 2, "all killed": 1}
"""Faults and how often each happens, relative to the others."""


class FaultInjector:
    """Harms players of a simulation at random moments, from a thread of its own, while the block runs.

    Args:
        simulation: where the players are.
        period: mean seconds between two faults.
        seed: of the choice of faults and moments.

    Attributes:
        injected: how often each kind of fault has happened.
    """

    def __init__(self, simulation: Simulation, period: float, seed: int = 0) -> None:
        self.injected = dict.fromkeys(KINDS, 0)
        self._simulation = simulation
        self._period = period
        self._random = random.Random(seed)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)

    def __enter__(self) -> FaultInjector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(timeout=10.0)

    def _run(self) -> None:
        kinds, weights = list(KINDS), list(KINDS.values())
        while not self._ending.wait(self._random.expovariate(1.0 / self._period)):
            (kind,) = self._random.choices(kinds, weights)
            players = sorted(self._simulation.processes)
            victims = players if kind == "all killed" else [self._random.choice(players)] if players else []
            harmed = sum(self._harm(kind, victim) for victim in victims)
            self.injected[kind] += harmed > 0

    def _harm(self, kind: str, player: int) -> bool:
        """Do it to one player; False when it is just being replaced.

        A player is not stopped while it starts: that is noticed by `unity.connect_timeout` only, a minute.
        """
        if kind == "one connection cut":
            return self._cut(player)
        process = self._simulation.processes.get(player)
        if process is None or process.exit_status() is not None:
            return False
        if (
            kind == "one stopped"
            and self._simulation.service_name(player, "step") not in self._simulation.endpoint.services
        ):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP if kind == "one stopped" else signal.SIGKILL)
        return True

    def _cut(self, player: int) -> bool:
        """End a player's connection as a network would, behind the back of both sides."""
        endpoint = self._simulation.endpoint
        with endpoint.lock:
            connection = endpoint.services.get(self._simulation.service_name(player, "step"))
            if connection is None:
                return False
            with socket.socket(fileno=os.dup(connection.fileno())) as same, contextlib.suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)
        return True
