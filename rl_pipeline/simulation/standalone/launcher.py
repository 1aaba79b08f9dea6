"""Launcher of players without a trainer: starts those of config.yml and keeps them running.

launch_unity_simulation.bat, launch_unity_simulation.bash and `rl-pipeline simulate` run this program. The trainer, in a
container or on another machine, waits for the players with `unity.launch: false`. The launcher needs Python 3.9 and
PyYAML, on Windows too.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.workspaces import use_workspaces, workspace_environment
from rl_pipeline.plurals import plural
from rl_pipeline.simulation.player_arguments import EMBEDDED, PlayerSpec, player_arguments, player_program
from rl_pipeline.simulation.player_process import STOP_TIMEOUT, PlayerProcess
from rl_pipeline.simulation.reaper import Reaper
from rl_pipeline.simulation.standalone.machine_file import MachineFile, read_machine_file

LOGS: Final = Path("player_logs")
SHORT_LIFE: Final = 3.0
"""Seconds after its start in which a failure of a player counts as one of its start: another start would not help."""
WATCH_PERIOD: Final = 0.2
"""Seconds between two checks of the players."""
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

Say = Callable[[str], None]
"""Function that shows a line to the user."""


class Players:
    """The player processes of a machine; one that fails is restarted.

    Args:
        machine: number of players, build and endpoint.
        scene: name of the scene, for the embedded player.
        logs: folder of the logs; created when needed.
        say: shows a line to the user.

    Raises:
        InputError: the build does not exist.
    """

    def __init__(self, machine: MachineFile, scene: str, logs: Path, say: Say) -> None:
        self._machine = machine
        self._logs = logs.absolute()
        self._say = say
        self._program = player_program(machine.unity.build_path, scene, machine.unity.arguments)
        self._running: dict[int, PlayerProcess] = {}
        self._started: dict[int, float] = {}
        self._reaper = Reaper() if os.name == "posix" else None

    def __enter__(self) -> Players:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all players.

        Raises:
            InputError: the build cannot be executed, or logs cannot be written.
        """
        for environment_id in range(self._machine.players):
            self._launch(environment_id)
        # Tell the user where the players connect, and how to end them.
        ros = self._machine.ros
        last = ros.port_of(self._machine.players - 1)
        ports = f"{ros.tcp_port}" if last == ros.tcp_port else f"{ros.tcp_port} to {last}"
        count = self._machine.players
        connect = "it connects" if count == 1 else "they connect"
        self._say(f"{count} {plural(count, 'player')} started; {connect} to {ros.reachable}, port {ports}")
        self._say(f"logs: {self._logs}; Ctrl-C ends them all")

    def watch(self, period: float = WATCH_PERIOD) -> bool:
        """Check the players once, after `period` seconds; return True if any is left.

        A player that was closed stays closed; one that failed is restarted.

        Raises:
            InputError: a player failed at its start, so that another start would not help.
        """
        threading.Event().wait(period)
        for environment_id, player in list(self._running.items()):
            if (status := player.exit_status()) is None:
                continue
            del self._running[environment_id]
            player.stop(timeout=0)
            # Closed by the user.
            if player.succeeded:
                self._say(f"player {environment_id} was closed")
                continue
            # Failed: at its start, or later.
            if time.monotonic() - self._started[environment_id] < SHORT_LIFE:
                raise InputError(
                    f"player {environment_id} {status} at its start; the end of {player.log_file}:\n{player.log_tail()}"
                )
            self._say(f"player {environment_id} {status}; restarting it (log: {player.log_file})")
            self._launch(environment_id)
        return bool(self._running)

    def stop(self) -> None:
        """End all players; safe to call twice."""
        # Ask all of them, then wait for all within one period.
        for player in self._running.values():
            player.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for player in self._running.values():
            player.stop(timeout=max(0.01, deadline - time.monotonic()))
        self._running.clear()
        if self._reaper is not None:
            self._reaper.close()
            self._reaper = None

    def _launch(self, environment_id: int) -> None:
        """Start one player."""
        machine = self._machine
        log_file = self._logs / f"player_{environment_id}.log"
        spec = PlayerSpec(
            environment_id,
            machine.ros.reachable,
            machine.ros.port_of(environment_id),
            seed=environment_id,
            frames=True,  # the trainer may ask for them
            worlds=machine.worlds_per_player,
            token=machine.ros.token,
        )
        arguments = player_arguments(machine.unity, spec, log_file)
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            player = PlayerProcess(
                [*self._program.command, *arguments], log_file, self._reaper, environment=workspace_environment()
            )
        except OSError as error:
            raise InputError(f"{self._program.name}: cannot be started ({error})") from None
        self._running[environment_id] = player
        self._started[environment_id] = time.monotonic()


def launch(config: Path, overrides: Sequence[str], scene: str, logs: Path) -> None:
    """Start the players of a machine file and keep them running until all are closed, or an exception ends the call.

    Raises:
        InputError: see `Players` and `read_machine_file`.
    """
    # Everything that the user may have set wrong, before any process starts.
    machine = read_machine_file(config, overrides)
    use_workspaces([Path(folder) for folder in machine.workspace], f"{config}: workspace")
    if machine.unity.build_path == EMBEDDED and importlib.util.find_spec("mujoco") is None:
        raise InputError(
            f"unity.build_path: the {EMBEDDED} player is a part of the Python package, which is not installed here: "
            f"run launch_node.bash once (Linux), or name a Unity build, such as unity.build_path=build/Arena.exe"
        )
    if machine.unity.launch:
        _say("note: unity.launch is true, so the trainer starts players of its own; it waits for these with false")
    # Run.
    with Players(machine, scene, logs, _say) as players:
        players.start()
        while players.watch():
            pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="launch_unity_simulation",
        description="Start the players of config.yml and keep them running; Ctrl-C ends them all.",
        epilog="Example: launch_unity_simulation n_environments=8 unity.build_path=build/Arena.exe",
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="settings in place of those of config.yml")
    parser.add_argument("--config", type=Path, default=Path("config.yml"), help="the file to read (config.yml)")
    parser.add_argument("--scene", default="navigation", help="what the embedded player simulates (navigation)")
    parser.add_argument("--logs", type=Path, default=LOGS, help=f"folder of the players' logs ({LOGS})")
    options = parser.parse_args(arguments)
    # Signals that end a program end it through KeyboardInterrupt, so that players are ended too.
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        launch(options.config, options.overrides, options.scene, options.logs)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("all players ended\n")
        return INTERRUPTED
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
