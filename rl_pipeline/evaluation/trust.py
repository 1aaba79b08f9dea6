"""Models from elsewhere: what their configuration may have run on this machine, and what it may not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from rl_pipeline.config import MACHINE_FILE, Config, activate, config_origin, load_config
from rl_pipeline.config.composition import shown
from rl_pipeline.config.overrides import COMMAND_LINE
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.interfaces.workspaces import WORKSPACE_KEY
from rl_pipeline.plugins import is_local
from rl_pipeline.simulation.player_arguments import EMBEDDED

CONSENT: Final = ("modules=", "unity.build_path=", "unity.arguments=", "workspace=", "simulation.workspace=")
"""How overrides begin by which a user names what a model may have run."""


class Use(Enum):
    """What a model's configuration is needed for."""

    POLICY = "the policy alone, which acts in environments that are there"
    PLAYING = "its environments too"
    TRAINING = "its environments and callbacks"


def config_of_model(
    file: ModelFile,
    overrides: Sequence[str] = (),
    machine_file: Path | None = None,
    *,
    use: Use = Use.PLAYING,
) -> Config:
    """The configuration inside a model file, else that of the folder it lies in; its modules are imported.

    A model that is not where a training has put it has no file of this machine run, neither modules nor a build, that
    the overrides or the machine file do not name. Its workspaces, paths of another machine, are left out too.

    Raises:
        InputError: there is no configuration, it cannot be used, or it wants code to be run.
    """
    beside = ExperimentFolder(file.path.parent).config
    if file.config is None and not beside.is_file():
        raise InputError(
            f"{file.path} holds no configuration and has no config.yaml next to it: name the one to use, by "
            "--config-name, --config or --experiment"
        )
    with tempfile.TemporaryDirectory() as directory:
        source = beside
        if file.config is not None:
            source = Path(directory) / "config.yaml"
            source.write_text(file.config, encoding="utf-8")
        config = load_config(
            config_file=source, machine_file=machine_file, overrides=overrides, imports=False, of_run=True
        )
    if not _is_of_experiment(file.path):
        trusted = {COMMAND_LINE, "default", shown(machine_file or MACHINE_FILE)}
        _refuse_code(config, file.path, trusted, use)
        if config_origin(config, WORKSPACE_KEY).source not in trusted:
            simulation = config.simulation.model_copy(update={"workspace": []})
            config = config.model_copy(update={"simulation": simulation})
    activate(config)
    return config


def _is_of_experiment(model: Path) -> bool:
    """Whether a model lies where a training of this project has put it."""
    return any(ExperimentFolder(folder).overrides.is_file() for folder in list(model.absolute().parents)[:2])


def _refuse_code(config: Config, model: Path, trusted: set[str], use: Use) -> None:
    """Raise `InputError` when what came with a model, from none of the trusted sources, would have files run."""

    def is_foreign(key: str) -> bool:
        return config_origin(config, key).source not in trusted

    named = list(config.modules) if is_foreign("modules") else []
    allowed = {""} if is_foreign("modules") else {"", *config.modules}
    if use is not Use.POLICY and is_foreign("environment.id"):
        named.append(config.environment.id.rpartition(":")[0])
    if use is Use.TRAINING:
        named += [callback.partition(":")[0] for callback in config.training.callbacks]
    local = [module for module in dict.fromkeys(named) if module not in allowed and is_local(module)]
    unity = config.simulation.unity
    if local:
        found, consent = ", ".join(local), f"modules=[{','.join(dict.fromkeys([*config.modules, *local]))}]"
    elif use is Use.POLICY or not unity.launch:
        return
    elif unity.build_path != EMBEDDED and is_foreign("simulation.unity.build_path"):
        found, consent = unity.build_path, f"unity.build_path={unity.build_path}"
    elif unity.arguments and is_foreign("simulation.unity.arguments"):
        found = f"{unity.build_path} {' '.join(unity.arguments)}"
        consent = f"unity.arguments=[{','.join(unity.arguments)}]"
    else:
        return
    raise InputError(f"{model}: its configuration would run {found} on this machine; if you trust it, add {consent}")
