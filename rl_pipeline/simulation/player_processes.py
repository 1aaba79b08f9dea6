"""The player processes of a simulation: launch, exit status, logs and end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rl_pipeline.config.schema import UnityConfig
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.workspaces import workspace_environment
from rl_pipeline.simulation.player_arguments import PlayerSpec, player_arguments, player_program
from rl_pipeline.simulation.player_process import STOP_TIMEOUT, PlayerProcess
from rl_pipeline.simulation.reaper import Reaper


class PlayerError(InputError):
    """A player does not start or answer; the message ends with the last lines of its log."""


class PlayerProcesses:
    """Owner of the player processes, by environment id. It has none if players are started elsewhere.

    Args:
        unity: program and settings of the players.
        scene: name of the scene that they simulate.
        log_directory: folder of their logs; created when needed.

    Attributes:
        running: the processes that were launched and not removed, by environment id.

    Raises:
        InputError: the build cannot be executed.
    """

    def __init__(self, unity: UnityConfig, scene: str, log_directory: Path) -> None:
        self.running: dict[int, PlayerProcess] = {}
        self._unity = unity
        self._program = player_program(unity.build_path, scene, unity.arguments) if unity.launch else None
        self._log_directory = log_directory
        self._reaper: Reaper | None = None

    def launch(self, specs: Sequence[PlayerSpec]) -> None:
        """Start a process for each player, unless players are started elsewhere.

        Raises:
            InputError: logs cannot be written.
            PlayerError: the program cannot be executed.
        """
        if self._program is None:
            return
        # The reaper and the folder of the logs, with the first player.
        if self._reaper is None:
            self._reaper = Reaper()
        try:
            self._log_directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._log_directory}: cannot write player logs ({error.strerror})") from None
        # Players are started one after the other, but connect at the same time.
        for spec in specs:
            log_file = self._log_directory.absolute() / f"player_{spec.environment_id}.log"
            arguments = player_arguments(self._unity, spec, log_file)
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
            self.running[spec.environment_id] = player

    def remove(self, environment_id: int) -> None:
        """Kill the rest of a lost player's process group."""
        if (player := self.running.pop(environment_id, None)) is not None:
            player.stop(timeout=0)

    def exit_status(self, environment_id: int, timeout: float = 0.0) -> str | None:
        """Return a description of how a process ended; None if it runs after `timeout` seconds, or runs elsewhere."""
        player = self.running.get(environment_id)
        return player.exit_status(timeout) if player is not None else None

    def describe_exit(self, environment_id: int) -> str | None:
        """Return the reason why a player will never connect; None while it may."""
        status = self.exit_status(environment_id)
        if status is None or self._program is None:
            return None
        return f"({self._program.name}) {status} before it connected"

    def log_end(self, environment_id: int) -> str:
        """Return the end of a message: the last lines of the player's log, if it was started here."""
        player = self.running.get(environment_id)
        return f"; the end of {player.log_file}:\n{player.log_tail()}" if player is not None else ""

    def close(self) -> None:
        """End all players; safe to call twice."""
        # Ask all of them, then wait for all within one period.
        for player in self.running.values():
            player.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for player in self.running.values():
            player.stop(timeout=max(0.01, deadline - time.monotonic()))
        self.running.clear()
        if self._reaper is not None:
            self._reaper.close()
            self._reaper = None
