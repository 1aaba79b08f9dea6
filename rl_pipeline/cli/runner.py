"""`rl-pipeline runner`: train or play by a file of rl_games."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.registration import command_options


@command_options(epilog="Example: rl-pipeline runner --train --file examples/runner/cartpole.yaml --num_actors 8")
def runner(
    file: Annotated[Path, typer.Option("--file", "-f", help="A YAML file of rl_games, or an experiment file.")],
    train: Annotated[bool, typer.Option("--train", "-t", help="Train; the run goes to runs/.")] = False,
    play: Annotated[bool, typer.Option("--play", "-p", help="Play the games of the player section.")] = False,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", "-c", help="A run's folder or a model, to continue or to play.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="In place of the file's seed.")] = None,
    num_actors: Annotated[
        int | None, typer.Option("--num_actors", "-na", min=1, help="Environments, in place of the file's number.")
    ] = None,
    sigma: Annotated[
        float | None, typer.Option("--sigma", "-s", help="Logarithm of the actions' standard deviation.")
    ] = None,
    track: Annotated[bool, typer.Option("--track", help="Log to Weights & Biases too.")] = False,
    wandb_project_name: Annotated[str | None, typer.Option(help="Project on Weights & Biases.")] = None,
    wandb_entity: Annotated[str | None, typer.Option(help="User or team on Weights & Biases.")] = None,
) -> None:
    """Train or play by a file of rl_games' layout; runs/ has the networks and summaries."""
    # These import PyTorch.
    from rl_pipeline.rl_games.runner import run_file
    from rl_pipeline.run.train import INTERRUPTED

    arguments = {
        "train": train,
        "play": play,
        "checkpoint": checkpoint,
        "sigma": sigma,
        "track": track,
        "wandb_project_name": wandb_project_name,
        "wandb_entity": wandb_entity,
    }
    result = run_file(
        file,
        arguments,
        seed=seed,
        num_actors=num_actors,
        console=make_console(),
        progress=make_console(stderr=True),
    )
    # An algorithm of the user's own may return any object, or none.
    raise typer.Exit(INTERRUPTED if getattr(result, "interrupted", False) else 0)
