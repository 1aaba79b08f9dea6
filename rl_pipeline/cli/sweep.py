"""`rl-pipeline sweep`: search for hyperparameters."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import ConfigDir, ConfigFile, ConfigName, Overrides, directory_or_default
from rl_pipeline.cli.registration import command_options
from rl_pipeline.errors import InputError


@command_options(epilog="Example: rl-pipeline sweep --config-name cartpole_ppo --space space.yaml --trials 12")
def sweep(
    overrides: Overrides = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
    space: Annotated[Path | None, typer.Option(help="YAML file of the search space: settings and values.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trainings in all; 20 if not given.")] = None,
    name: Annotated[str | None, typer.Option(help="The sweep's folder; without it, the experiment's name.")] = None,
    resume: Annotated[str | None, typer.Option(help="Continue a sweep, by its name or folder.")] = None,
    directory: Annotated[Path | None, typer.Option(help="With --resume: folder of the experiments.")] = None,
    objective: Annotated[str, typer.Option(help="Quantity to maximize: return or success_rate.")] = "return",
    pruner: Annotated[str, typer.Option(help="Rule that ends trials early: median, asha or none.")] = "median",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Trials at a time; by default, one per two cores.")] = None,
    cpus_per_trial: Annotated[int, typer.Option(min=1, help="Processor cores of a trial.")] = 1,
    gpus_per_trial: Annotated[float, typer.Option(min=0.0, help="GPUs of a trial; 0.5 shares one.")] = 0.0,
    address: Annotated[str | None, typer.Option(help="A Ray cluster, as host:port, in place of this machine.")] = None,
) -> None:
    """Search for good hyperparameters: many trials; those without prospects end early."""
    from rl_pipeline.config import load_config
    from rl_pipeline.sweeps import sweep as act
    from rl_pipeline.sweeps.folder import SweepSettings
    from rl_pipeline.sweeps.trial import TrialResources

    act.require_packages()
    given = {"--config-name": config_name, "--config": config, "--space": space, "--name": name, "overrides": overrides}
    if resume is not None:
        # A resumed sweep keeps its configuration and its space: trials must stay comparable.
        if (extra := next((option for option, value in given.items() if value), None)) is not None:
            raise InputError(f"{extra}: a sweep that is resumed keeps what it began with; expected --resume alone")
        folder = act.reopen_sweep(resume, directory_or_default(directory), trials)
    elif space is None:
        raise InputError("expected --space FILE with the search space, or --resume NAME")
    else:
        load = partial(load_config, config_name, config_file=config, config_dir=config_dir, overrides=overrides or [])
        settings = SweepSettings(trials or act.DEFAULT_TRIALS, objective, pruner, seed)
        folder = act.create_sweep(load, space, name, settings)

    resources = TrialResources(jobs, cpus_per_trial, gpus_per_trial, address)
    raise typer.Exit(act.run_sweep(folder, resources, console=make_console(), progress=make_console(stderr=True)))
