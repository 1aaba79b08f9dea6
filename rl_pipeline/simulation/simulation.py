"""The simulators of a run: the endpoint, and the players that connect to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rl_pipeline.backends.direct import DirectBackend
from rl_pipeline.backends.registration import open_backend
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.interfaces.workspaces import workspace_environment
from rl_pipeline.plurals import plural
from rl_pipeline.simulation.player_arguments import player_arguments, player_program
from rl_pipeline.simulation.player_process import STOP_TIMEOUT, PlayerProcess
from rl_pipeline.simulation.reaper import Reaper
from rl_pipeline.simulation.restart_quota import RestartQuota
from rl_pipeline.transport.listening import host_and_port

logger = logging.getLogger(__name__)

STATUS_PERIOD: Final = 5.0
WATCH_PERIOD: Final = 0.1
EXIT_DELAY: Final = 0.1
"""Seconds that a process which dies may still be there when it is noticed, so that it is told how it ended."""
SERVICES: Final = ("reset", "step")
LAST_PORT: Final = 65535


class PlayerError(InputError):
    """A player could not be brought to answer; the message ends with the end of its log."""


class Simulation:
    """Owns the endpoint and the player processes; closing it ends them all.

    Environment ids are handed out in order by `start`, so that training and evaluation players share an endpoint.

    Args:
        config: how many players, where and how.
        scene: name of the scene that the players simulate.
        log_directory: where each player's log goes; made when needed.
        seed: player i is started with `--seed seed+i`.

    Raises:
        InputError: the build cannot be executed, or the port is taken.
    """

    def __init__(self, config: SimulationConfig, scene: str, log_directory: Path, *, seed: int = 0) -> None:
        self.config = config
        self.scene = scene
        self._log_directory = log_directory
        self._seed = seed
        unity = config.unity
        self._program = player_program(unity.build_path, scene, unity.arguments) if unity.launch else None
        self._players: dict[int, PlayerProcess] = {}
        self._ports: dict[int, int] = {}
        self._frames: set[int] = set()
        self._quota = RestartQuota(config.unity)
        self._worlds: dict[int, int] = {}
        self._images: dict[int, ImageSpec | None] = {}
        self._reaper: Reaper | None = None
        self._token = config.ros.token.get_secret_value() if config.ros.token is not None else None
        self.backend = open_backend(config, log_directory)

    def __enter__(self) -> Simulation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def endpoint(self) -> DirectBackend:
        """Where players connect to this process. Raises `InputError` with another backend than `direct`."""
        if not isinstance(self.backend, DirectBackend):
            raise InputError(f"ros.backend: expected 'direct' for this, found {self.config.ros.backend!r}")
        return self.backend

    @property
    def processes(self) -> dict[int, PlayerProcess]:
        """The player processes by environment id; empty when players are started elsewhere."""
        return dict(self._players)

    def service_name(self, environment_id: int, service: str) -> str:
        """Name of a player's service: `reset` or `step`; of several worlds, `reset_batch` or `step_batch`."""
        return f"/{self.scene}_{environment_id}/{service}"

    def start(
        self, count: int, *, frames: Iterable[int] = (), worlds: int = 1, image: ImageSpec | None = None
    ) -> list[int]:
        """Start `count` more players and wait until they are connected; returns their environment ids.

        Of the first ones none may fail: a build that does not start would not the next time either. Once some have
        connected, one that fails is replaced as a lost player is.

        Args:
            count: how many.
            frames: which of them (0 to count - 1) will be asked for frames.
            worlds: how many worlds each simulates; if several, it is called by its batched services.
            image: which frames they will be asked for; None: their own choice.

        Raises:
            PlayerError: one exited or did not connect by the deadline, of later players too often.
        """
        first = len(self._ports)
        ids = list(range(first, first + count))
        self._frames |= {first + index for index in frames}
        for environment_id in ids:
            self._ports[environment_id] = self._port_of(environment_id)
            self._worlds[environment_id] = worlds
            self._images[environment_id] = image
        self._refuse_namesakes(ids)
        self._launch(ids)
        self._wait_for(ids, self._retry if first else self._give_up)
        return ids

    def restart(self, environment_ids: Sequence[int], problems: Mapping[int, str] | None = None) -> None:
        """Replace lost players, all at once, and wait until the new ones are connected.

        One that exits or hangs at its start is restarted again, as long as its quota of restarts lasts.

        Args:
            environment_ids: the players.
            problems: what is wrong with those that still answer, for messages.

        Raises:
            PlayerError: a player was restarted too often, or one that is started elsewhere did not come back.
        """
        problems = problems or {}
        patience = time.monotonic() + EXIT_DELAY
        for environment_id in environment_ids:
            player = self._players.get(environment_id)
            remaining = max(0.0, patience - time.monotonic())
            status = player.exit_status(remaining) if player is not None else None
            self._replace(environment_id, problems.get(environment_id, status or "does not answer"))
        self._wait_for(environment_ids, self._retry)

    def close(self) -> None:
        """End every player and the endpoint; safe to call twice."""
        self.backend.close()
        for player in self._players.values():
            player.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for player in self._players.values():
            player.stop(timeout=max(0.01, deadline - time.monotonic()))
        self._players.clear()
        if self._reaper is not None:
            self._reaper.close()
            self._reaper = None

    def _port_of(self, environment_id: int) -> int:
        ros = self.config.ros
        if not ros.one_port_per_environment:
            return self.backend.port
        port = ros.tcp_port + environment_id if ros.tcp_port else 0
        if port > LAST_PORT:
            raise InputError(
                f"ros.tcp_port: environment {environment_id} would have port {port} (ros.one_port_per_environment), "
                f"and {LAST_PORT} is the last there is"
            )
        return self.backend.listen(port)

    def _launch(self, environment_ids: Sequence[int]) -> None:
        if self._program is None:
            return
        if self._reaper is None:
            self._reaper = Reaper()
        try:
            self._log_directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._log_directory}: cannot write player logs ({error.strerror})") from None
        for environment_id in environment_ids:
            log_file = self._log_directory.absolute() / f"player_{environment_id}.log"
            arguments = player_arguments(
                self.config.unity,
                host=self.backend.reachable,
                port=self._ports[environment_id],
                environment_id=environment_id,
                seed=(self._seed + environment_id) % 2**31,
                log_file=log_file,
                frames=environment_id in self._frames,
                token=self._token,
                worlds=self._worlds[environment_id],
                image=self._images[environment_id],
            )
            try:
                player = PlayerProcess(
                    [*self._program.command, *arguments],
                    log_file,
                    self._reaper,
                    environment=workspace_environment(),
                    module=self._program.module,
                )
            except OSError as error:
                raise PlayerError(
                    f"unity.build_path: {self._program.name} cannot be executed ({error.strerror})"
                ) from None
            self._players[environment_id] = player

    def _refuse_namesakes(self, environment_ids: Sequence[int]) -> None:
        """Raise `InputError` if somebody else offers the services of players that are about to be started."""
        taken = [name for i in environment_ids for name in self._services_of(i) if self.backend.type_of(name)]
        if taken and self.config.unity.launch:
            raise InputError(
                f"{taken[0]}: somebody offers it already, perhaps another run; with ros.backend=ros2, runs that share "
                f"a network need a ROS_DOMAIN_ID each"
            )

    def _replace(self, environment_id: int, problem: str) -> None:
        """End what is left of a lost player and start another, if its quota allows."""
        if (exceeded := self._quota.spend(environment_id)) is not None:
            raise PlayerError(f"player {environment_id} {problem}, and {exceeded}{self._log_end(environment_id)}")
        logger.warning("player %d %s; restarting it", environment_id, problem)
        if (player := self._players.pop(environment_id, None)) is not None:
            player.stop(timeout=0)
        # A hung process may still hold its connection; what it answers late must not pass for an answer.
        self.backend.drop(self._services_of(environment_id), "replaced")
        self._launch([environment_id])

    def _wait_for(self, environment_ids: Sequence[int], failed: Callable[[int, str], None]) -> None:
        """Wait until all services of these players are registered, watching their processes meanwhile.

        Each that exits, or has not connected by its deadline, is given to `failed` with what is wrong; if that
        returns, a new deadline begins.
        """
        began = time.monotonic()
        next_status = began + STATUS_PERIOD
        deadlines = dict.fromkeys(environment_ids, began + self.config.unity.connect_timeout)
        while missing := [i for i in environment_ids if not self._registered(i)]:
            now = time.monotonic()
            for environment_id in missing:
                problem = self._exited(environment_id)
                if problem is None and now > deadlines[environment_id]:
                    problem = self._never_connected(environment_id, len(missing) - 1)
                if problem is not None:
                    failed(environment_id, problem)
                    deadlines[environment_id] = now + self.config.unity.connect_timeout
            if now > next_status:
                next_status = now + STATUS_PERIOD
                logger.info("%s", self._waiting_message(len(environment_ids) - len(missing), len(environment_ids)))
            self.backend.poll(WATCH_PERIOD)
        count = len(environment_ids)
        logger.info("%d %s connected after %.1f s", count, plural(count, "player"), time.monotonic() - began)

    def _registered(self, environment_id: int) -> bool:
        return all(self.backend.type_of(service) is not None for service in self._services_of(environment_id))

    def _services_of(self, environment_id: int) -> list[str]:
        """Names of the services that a player offers."""
        batched = "_batch" if self._worlds[environment_id] > 1 else ""
        return [self.service_name(environment_id, f"{service}{batched}") for service in SERVICES]

    def _give_up(self, environment_id: int, problem: str) -> None:
        raise PlayerError(f"player {environment_id} {problem}{self._log_end(environment_id)}")

    def _retry(self, environment_id: int, problem: str) -> None:
        if not self.config.unity.launch:
            self._give_up(environment_id, problem)
        self._replace(environment_id, problem)

    def _exited(self, environment_id: int) -> str | None:
        player = self._players.get(environment_id)
        status = player.exit_status() if player is not None else None
        if status is None or self._program is None:
            return None
        return f"({self._program.name}) {status} before it connected"

    def _log_end(self, environment_id: int) -> str:
        """The end of a message: that of the player's log, if it was started here."""
        player = self._players.get(environment_id)
        return f"; the end of {player.log_file}:\n{player.log_tail()}" if player is not None else ""

    def _waiting_message(self, connected: int, total: int) -> str:
        message = f"waiting for players: {connected} of {total} connected"
        return message if self.config.unity.launch else f"{message} to {self._address()}"

    def _address(self) -> str:
        return ", ".join(host_and_port(self.backend.host, port) for port in sorted(set(self._ports.values())))

    def _never_connected(self, environment_id: int, others: int) -> str:
        timeout = self.config.unity.connect_timeout
        reset, step = self._services_of(environment_id)
        message = (
            f"did not offer {reset} and .../{step.rpartition('/')[2]} within {timeout:g} s (unity.connect_timeout)"
        )
        if others:
            message += f", nor did {others} more"
        if not self.config.unity.launch:
            message += f"; unity.launch is false: start the players, and have them connect to {self._address()}"
        if offered := self.backend.offered:
            message += f"; offered are: {', '.join(offered[:8])}"
        return message + self.backend.hint
