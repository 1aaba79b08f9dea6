"""The simulators of a run: a backend, and the players that connect to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rl_pipeline.backends.backend import BackendContext
from rl_pipeline.backends.direct import DirectBackend
from rl_pipeline.backends.registration import open_backend
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.plurals import plural
from rl_pipeline.simulation.endpoint_process import EndpointProcess
from rl_pipeline.simulation.player_arguments import PlayerSpec
from rl_pipeline.simulation.player_process import PlayerProcess
from rl_pipeline.simulation.player_processes import PlayerError, PlayerProcesses
from rl_pipeline.simulation.restart_quota import RestartQuota
from rl_pipeline.transport.listening import host_and_port

__all__ = ["PlayerError", "Simulation"]

logger = logging.getLogger(__name__)

STATUS_PERIOD: Final = 5.0
"""Seconds between two log messages while players connect."""
POLL_PERIOD: Final = 0.1
"""Seconds between two checks of the players while they connect."""
EXIT_DELAY: Final = 0.1
"""Seconds between the end of a connection and that of the process, whose exit status is the reason for the loss."""
SERVICES: Final = ("reset", "step")
MAX_PORT: Final = 65535
MAX_LISTED: Final = 8
"""Services that a message lists."""


class Simulation:
    """Owner of the backend and of the player processes; `close` ends them all.

    `start` numbers players in order, so that training and evaluation players share a backend.

    Args:
        config: number of players, their program and the endpoint.
        scene: name of the scene that the players simulate.
        log_directory: folder of the players' logs; created when needed.
        seed: player i starts with `--seed seed+i`.

    Raises:
        InputError: the build cannot be executed, or the port is taken.
    """

    def __init__(self, config: SimulationConfig, scene: str, log_directory: Path, *, seed: int = 0) -> None:
        self.config = config
        self.scene = scene
        self._seed = seed
        self._specs: dict[int, PlayerSpec] = {}
        self._players = PlayerProcesses(config.unity, scene, log_directory)
        self._quota = RestartQuota(config.unity)
        self.backend = open_backend(BackendContext(config, log_directory, EndpointProcess))

    def __enter__(self) -> Simulation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def endpoint(self) -> DirectBackend:
        """Endpoint of this process. Raises `InputError` for another backend than `direct`."""
        if not isinstance(self.backend, DirectBackend):
            raise InputError(f"simulation.backend: expected 'direct' for this, found {self.config.backend!r}")
        return self.backend

    @property
    def processes(self) -> dict[int, PlayerProcess]:
        """The player processes by environment id; empty if players are started elsewhere."""
        return dict(self._players.running)

    def service_name(self, environment_id: int, service: str) -> str:
        """Return the name of a player's service `reset` or `step`; of several worlds, `reset_batch` or `step_batch`."""
        return f"/{self.scene}_{environment_id}/{service}"

    def start(
        self, count: int, *, frames: Iterable[int] = (), worlds: int = 1, image: ImageSpec | None = None
    ) -> list[int]:
        """Start more players and wait until they are connected.

        None of the first players may fail: a build that does not start will not start the next time either. Once a
        group has connected, later players that fail are replaced, as lost ones are.

        Args:
            count: number of players.
            frames: indices, from 0 to count - 1, of players that will be asked for frames.
            worlds: number of worlds of each player; a player of several is called by its batched services.
            image: size and format of frames that a task observes; None: the player's own choice.

        Returns:
            The environment ids of the new players.

        Raises:
            PlayerError: a player has exited or did not connect in time; one of a later group, too often.
        """
        # Ids go on from those of earlier groups.
        first = len(self._specs)
        filmed = set(frames)
        ids = list(range(first, first + count))
        token = self.config.ros.token.get_secret_value() if self.config.ros.token is not None else None
        for index, environment_id in enumerate(ids):
            self._specs[environment_id] = PlayerSpec(
                environment_id,
                self.backend.reachable,
                self._port_of(environment_id),
                seed=(self._seed + environment_id) % 2**31,
                frames=index in filmed,
                worlds=worlds,
                image=image,
                token=token,
            )
        # Launch, and wait; see above for failures.
        self._check_names_are_free(ids)
        self._players.launch([self._specs[environment_id] for environment_id in ids])
        self._wait_for(ids, self._retry if first else self._give_up)
        return ids

    def replace(self, lost: Mapping[int, str]) -> None:
        """Replace lost players, all at once, and wait until the new ones are connected.

        A new player that exits or hangs is replaced again, as long as its quota of restarts lasts.

        Args:
            lost: the reason by environment id, for messages. Empty for a silent player: the reason is then the exit
                status of its process, or that it does not answer.

        Raises:
            PlayerError: a player was restarted too often, or one that is started elsewhere did not come back.
        """
        # A player that dies closes its connection first: give all of them time to exit, but not one after the other.
        deadline = time.monotonic() + EXIT_DELAY
        for environment_id, reason in lost.items():
            status = self._players.exit_status(environment_id, max(0.0, deadline - time.monotonic()))
            self._relaunch(environment_id, reason or status or "does not answer")
        self._wait_for(list(lost), self._retry)

    def close(self) -> None:
        """End all players and the backend; safe to call twice."""
        self.backend.close()
        self._players.close()

    def _port_of(self, environment_id: int) -> int:
        """Return the port of a player; with a port for each environment, start to listen on it."""
        ros = self.config.ros
        if not ros.one_port_per_environment:
            return self.backend.port
        port = ros.tcp_port + environment_id if ros.tcp_port else 0
        if port > MAX_PORT:
            raise InputError(
                f"ros.tcp_port: environment {environment_id} would have port {port} (ros.one_port_per_environment), "
                f"and {MAX_PORT} is the last there is"
            )
        return self.backend.listen(port)

    def _services_of(self, environment_id: int) -> list[str]:
        """Return the names of the services that a player offers."""
        batched = "_batch" if self._specs[environment_id].worlds > 1 else ""
        return [self.service_name(environment_id, f"{service}{batched}") for service in SERVICES]

    def _check_names_are_free(self, environment_ids: Sequence[int]) -> None:
        """Raise `InputError` if another run offers the services of players that are about to start."""
        taken = [name for i in environment_ids for name in self._services_of(i) if self.backend.type_of(name)]
        if taken and self.config.unity.launch:
            raise InputError(
                f"{taken[0]}: somebody offers it already, perhaps another run; with backend=ros2, runs that share "
                f"a network need a ROS_DOMAIN_ID each"
            )

    def _relaunch(self, environment_id: int, reason: str) -> None:
        """End the rest of a lost player and start another. Raises `PlayerError` if its quota of restarts is used up."""
        if (exceeded := self._quota.spend(environment_id)) is not None:
            log_end = self._players.log_end(environment_id)
            raise PlayerError(f"player {environment_id} {reason}, and {exceeded}{log_end}")
        logger.warning("player %d %s; restarting it", environment_id, reason)
        self._players.remove(environment_id)
        # A hung process may still hold its connection; a late response must not be taken for one of the new player.
        self.backend.drop(self._services_of(environment_id), "replaced")
        self._players.launch([self._specs[environment_id]])

    def _wait_for(self, environment_ids: Sequence[int], on_failure: Callable[[int, str], None]) -> None:
        """Wait until all services of these players are registered.

        Args:
            environment_ids: the players.
            on_failure: called with the id of a player that has exited or missed its deadline, and the reason. If it
                returns, the player gets a new deadline.
        """
        began = time.monotonic()
        next_status = began + STATUS_PERIOD
        deadlines = dict.fromkeys(environment_ids, began + self.config.unity.connect_timeout)
        while missing := [i for i in environment_ids if not self._is_registered(i)]:
            now = time.monotonic()
            # An exit is reported at once, silence after the deadline.
            for environment_id in missing:
                problem = self._players.describe_exit(environment_id)
                if problem is None and now > deadlines[environment_id]:
                    problem = self._describe_silence(environment_id, len(missing) - 1)
                if problem is not None:
                    on_failure(environment_id, problem)
                    deadlines[environment_id] = now + self.config.unity.connect_timeout
            if now > next_status:
                next_status = now + STATUS_PERIOD
                logger.info("%s", self._describe_wait(len(environment_ids) - len(missing), len(environment_ids)))
            self.backend.poll(POLL_PERIOD)
        count = len(environment_ids)
        logger.info("%d %s connected after %.1f s", count, plural(count, "player"), time.monotonic() - began)

    def _is_registered(self, environment_id: int) -> bool:
        return all(self.backend.type_of(service) is not None for service in self._services_of(environment_id))

    def _give_up(self, environment_id: int, problem: str) -> None:
        raise PlayerError(f"player {environment_id} {problem}{self._players.log_end(environment_id)}")

    def _retry(self, environment_id: int, problem: str) -> None:
        if not self.config.unity.launch:
            self._give_up(environment_id, problem)
        self._relaunch(environment_id, problem)

    def _describe_silence(self, environment_id: int, others: int) -> str:
        """Describe a player that did not connect in time, with all that may help to find the cause."""
        timeout = self.config.unity.connect_timeout
        reset, step = self._services_of(environment_id)
        # Other players, the address for players started elsewhere, and the services that are there instead.
        message = (
            f"did not offer {reset} and .../{step.rpartition('/')[2]} within {timeout:g} s (unity.connect_timeout)"
        )
        if others:
            message += f", nor did {others} more"
        if not self.config.unity.launch:
            message += f"; unity.launch is false: start the players, and have them connect to {self._addresses()}"
        if offered := self.backend.offered:
            message += f"; offered are: {', '.join(offered[:MAX_LISTED])}"
        return message + self.backend.hint

    def _describe_wait(self, connected: int, total: int) -> str:
        message = f"waiting for players: {connected} of {total} connected"
        return message if self.config.unity.launch else f"{message} to {self._addresses()}"

    def _addresses(self) -> str:
        ports = sorted({spec.port for spec in self._specs.values()})
        return ", ".join(host_and_port(self.backend.host, port) for port in ports)
