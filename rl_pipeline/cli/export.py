"""`rl-pipeline export`: write a policy for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import (
    ConfigDir,
    ConfigFile,
    ConfigName,
    Directory,
    Experiment,
    Model,
    Overrides,
    select,
)
from rl_pipeline.cli.registration import command_options


@command_options(epilog="Example: rl-pipeline export --experiment navigation_ppo --output agent.onnx")
def export(
    overrides: Overrides = None,
    experiment: Experiment = None,
    directory: Directory = None,
    model: Model = None,
    format: Annotated[str, typer.Option(help="onnx (for Unity's inference engine) or torchscript.")] = "onnx",
    output: Annotated[Path | None, typer.Option(help="The file; without it, in the model's folder.")] = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Write a trained policy as a file for other programs, checked against the model."""
    # These import PyTorch.
    from rl_pipeline.deployment.export import export as run
    from rl_pipeline.evaluation.agents import TRAINED

    selection = select(overrides or [], config_name, config, config_dir, experiment, model, TRAINED, directory)
    run(selection, format=format, output=output, console=make_console())
