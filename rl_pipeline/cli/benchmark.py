"""`rl-pipeline benchmark`: measure this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.registration import command_options

BENCHMARKS: Final = """all, or one of
transport: players against a plain echo and other vector environments, and ros-endpoint where ROS 2 is installed;
connector: with the traffic of Unity's connector;
images: with an image in every response;
worlds: many worlds in one player;
mlagents, ros: against mlagents-envs and rclpy, where they are installed;
ros-endpoint: the ros2 backend through the endpoint, against rclpy alone;
training: PPO from end to end;
scaling: rate against players and payload;
double-buffer: collecting in two halves;
environments: Gymnasium's, here and in processes;
startup: from the command line to the first step;
memory: of a player and of steps;
soak: training among faults"""


@command_options(epilog="Example: rl-pipeline benchmark transport --json transport.json")
def benchmark(
    name: Annotated[str, typer.Argument(help=BENCHMARKS)] = "all",
    players: Annotated[int | None, typer.Option(min=1, help="Players in the batch.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Length of each measurement.")] = None,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Measurements of each case, interleaved.")] = None,
    timesteps: Annotated[int | None, typer.Option(min=16, help="Steps of each training, all players together.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Length of the soak.")] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="One that all leaves out; may be repeated.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw them into this file: .png, .svg or .pdf.")] = None,
) -> None:
    """Measure this machine: environment steps per second, as ratios to other ways to step players."""
    from rl_pipeline.benchmarks.running import benchmark as run

    # Options that are not given keep the defaults of each benchmark.
    options = {
        "players": players,
        "seconds": seconds,
        "repetitions": repetitions,
        "timesteps": timesteps,
        "minutes": minutes,
    }
    run(name, make_console(), options=options, leave_out=leave_out or (), json_file=json, plot=plot)
