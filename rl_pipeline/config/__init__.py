"""The configuration: composed from configs/, config.yml and the command line, and validated before anything runs."""

from rl_pipeline.config.loading import (
    MACHINE_FILE,
    NO_MACHINE_FILE,
    MachineSettings,
    activate,
    load_config,
    machine_settings,
    outweighed,
)
from rl_pipeline.config.rendering import render_config, without_secrets
from rl_pipeline.config.schema import Config
from rl_pipeline.config.validation import InvalidConfigError, config_origin, located

__all__ = [
    "MACHINE_FILE",
    "NO_MACHINE_FILE",
    "Config",
    "InvalidConfigError",
    "MachineSettings",
    "activate",
    "config_origin",
    "load_config",
    "located",
    "machine_settings",
    "outweighed",
    "render_config",
    "without_secrets",
]
