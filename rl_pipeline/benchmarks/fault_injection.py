"""Injection of faults into the players of a simulation, for endurance tests."""

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
"""Faults, and their frequencies relative to each other."""


class FaultInjector:
    """Injects faults into players at random moments, from a thread of its own, while the block runs.

    Args:
        simulation: owner of the players.
        period: mean seconds between two faults.
        seed: of the faults and moments.

    Attributes:
        injected: number of faults of each kind so far.
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
        """Inject faults until the block ends; the thread's body."""
        kinds, weights = list(KINDS), list(KINDS.values())
        while not self._ending.wait(self._random.expovariate(1.0 / self._period)):
            (kind,) = self._random.choices(kinds, weights)
            # Players that are being replaced at the moment are missing from the processes.
            players = sorted(self._simulation.processes)
            victims = players if kind == "all killed" else [self._random.choice(players)] if players else []
            harmed = sum(self._harm(kind, victim) for victim in victims)
            self.injected[kind] += harmed > 0

    def _harm(self, kind: str, player: int) -> bool:
        """Inject a fault into one player; returns False if it is being replaced at the moment.

        A player is not stopped while it starts: only `unity.connect_timeout`, a minute, would end it.
        """
        if kind == "one connection cut":
            return self._cut(player)
        # The fault needs a process that runs, and to be stopped, one that has registered its services.
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
        """Shut down a player's connection without either side having closed it, as a broken network does."""
        endpoint = self._simulation.endpoint
        with endpoint.lock:
            connection = endpoint.services.get(self._simulation.service_name(player, "step"))
            if connection is None:
                return False
            with socket.socket(fileno=os.dup(connection.fileno())) as same, contextlib.suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)
        return True
