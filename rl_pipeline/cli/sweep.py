"""The verb that searches for hyperparameters."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.console import console
from rl_pipeline.cli.options import ConfigDir, ConfigFile, ConfigName, Overrides, within
from rl_pipeline.cli.train import PANEL
from rl_pipeline.errors import InputError


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: rl-pipeline sweep --config-name cartpole_ppo --space space.yaml --trials 12",
)
def sweep(
    overrides: Overrides = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
    space: Annotated[Path | None, typer.Option(help="YAML file: what is varied, over which values.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trainings in all; 20 if not given.")] = None,
    name: Annotated[str | None, typer.Option(help="The sweep's folder; without it, the experiment's name.")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with a sweep, by its name or folder.")] = None,
    directory: Annotated[Path | None, typer.Option(help="With --resume: where the experiments are.")] = None,
    objective: Annotated[str, typer.Option(help="What is to be large: return or success_rate.")] = "return",
    pruner: Annotated[str, typer.Option(help="Which trials end early: median, asha or none.")] = "median",
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is tried.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Trials at a time; here, one for two cores.")] = None,
    cpus_per_trial: Annotated[int, typer.Option(min=1, help="Processor cores of a trial.")] = 1,
    gpus_per_trial: Annotated[float, typer.Option(min=0.0, help="GPUs of a trial; 0.5 shares one.")] = 0.0,
    address: Annotated[str | None, typer.Option(help="A Ray cluster, as host:port, in place of this machine.")] = None,
) -> None:
    """Search for good hyperparameters: many trials, of which the hopeless are ended early."""
    from rl_pipeline.config import load_config
    from rl_pipeline.sweeps import search as act
    from rl_pipeline.sweeps.folder import Resources, SweepSettings

    act.require_packages()
    given = {"--config-name": config_name, "--config": config, "--space": space, "--name": name, "overrides": overrides}
    if resume is not None:
        if (extra := next((option for option, value in given.items() if value), None)) is not None:
            raise InputError(f"{extra}: a sweep that is resumed keeps what it began with; expected --resume alone")
        folder = act.former_sweep(resume, within(directory), trials)
    elif space is None:
        raise InputError("expected --space FILE, which says what is varied, or --resume NAME")
    else:
        load = partial(
            load_config, config_name, config_file=config, config_dir=config_dir, overrides=overrides or []
        )  # fmt: skip
        folder = act.new_sweep(load, space, name, SweepSettings(trials or act.TRIALS, objective, pruner, seed))
    resources = Resources(jobs, cpus_per_trial, gpus_per_trial, address)
    raise typer.Exit(act.run_sweep(folder, resources, console=console(), progress=console(stderr=True)))
