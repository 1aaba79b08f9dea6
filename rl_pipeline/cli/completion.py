"""What the shell offers when TAB is pressed; the options and verbs themselves it knows from Typer."""

from __future__ import annotations

from pathlib import Path

import typer


def experiment_files(context: typer.Context) -> list[str]:
    """Names for --config-name: the experiment files of --config-dir or configs/, and those that are shipped."""
    from rl_pipeline.config.loader import config_folders
    from rl_pipeline.errors import InputError

    try:
        return config_folders(context.params.get("config_dir")).options("")
    except InputError:
        return []


def experiment_names(context: typer.Context) -> list[str]:
    """Names of the experiments under --directory or experiments/, newest first."""
    from rl_pipeline.experiment.folder import existing_experiments

    directory = context.params.get("directory") or Path("experiments")
    return list(dict.fromkeys(folder.path.name for folder in existing_experiments(directory)))
