"""Configurations of model files, and the code that those from elsewhere may not run on this machine."""

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
"""Beginnings of overrides by which a user allows files that a model's configuration names."""


class Use(Enum):
    """Purpose that a model's configuration is read for; it decides which files would run."""

    POLICY = "the policy alone, in environments that exist already"
    PLAYING = "its environments too"
    TRAINING = "its environments and callbacks"


def config_of_model(
    file: ModelFile,
    overrides: Sequence[str] = (),
    machine_file: Path | None = None,
    *,
    use: Use = Use.PLAYING,
) -> Config:
    """Return the configuration inside a model file, else that of its folder, and import its modules.

    A model outside of an experiment folder of this machine may come from anyone. Its configuration may only run files,
    modules as well as builds, that the overrides or the machine file name. Its workspaces, which are paths of another
    machine, are left out.

    Args:
        file: the model.
        overrides: put over the configuration.
        machine_file: the config.yml of this machine; None: that of the working directory.
        use: purpose of the configuration.

    Raises:
        InputError: there is no configuration, it is not valid, or it would run code that is not allowed.
    """
    # Find the configuration: in the file, or next to it.
    config_file = ExperimentFolder(file.path.parent).config
    if file.config is None and not config_file.is_file():
        raise InputError(
            f"{file.path} holds no configuration and has no config.yaml next to it: name the one to use, by "
            "--config-name, --config or --experiment"
        )
    with tempfile.TemporaryDirectory() as directory:
        if file.config is not None:
            config_file = Path(directory) / "config.yaml"
            config_file.write_text(file.config, encoding="utf-8")
        # Modules are imported at the end only, when they are known to be allowed.
        config = load_config(
            config_file=config_file, machine_file=machine_file, overrides=overrides, imports=False, of_run=True
        )
    # Refuse code that came with the model.
    if not _is_of_experiment(file.path):
        trusted = {COMMAND_LINE, "default", shown(machine_file or MACHINE_FILE)}
        _refuse_code(config, file.path, trusted, use)
        if config_origin(config, WORKSPACE_KEY).source not in trusted:
            simulation = config.simulation.model_copy(update={"workspace": []})
            config = config.model_copy(update={"simulation": simulation})
    activate(config)
    return config


def _is_of_experiment(model: Path) -> bool:
    """Return whether a model lies in the experiment folder of a training, or in its checkpoints."""
    return any(ExperimentFolder(folder).overrides.is_file() for folder in list(model.absolute().parents)[:2])


def _refuse_code(config: Config, model: Path, trusted: set[str], use: Use) -> None:
    """Raise `InputError` when settings from none of the trusted sources would run files of this machine."""

    def is_foreign(key: str) -> bool:
        return config_origin(config, key).source not in trusted

    # Modules that would be imported, for the environment and the callbacks too, against those that are allowed.
    named = list(config.modules) if is_foreign("modules") else []
    allowed = {""} if is_foreign("modules") else {"", *config.modules}
    if use is not Use.POLICY and is_foreign("environment.id"):
        named.append(config.environment.id.rpartition(":")[0])
    if use is Use.TRAINING:
        named += [callback.partition(":")[0] for callback in config.training.callbacks]
    local = [module for module in dict.fromkeys(named) if module not in allowed and is_local(module)]
    unity = config.simulation.unity
    # The first thing that would run, and the override that allows it.
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
