"""The configuration: composed from configs/, config.yml and the command line, and validated before anything runs."""

from rl_pipeline.config.loader import (
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
from rl_pipeline.config.validation import config_origin

__all__ = [
    "MACHINE_FILE",
    "NO_MACHINE_FILE",
    "Config",
    "MachineSettings",
    "activate",
    "config_origin",
    "load_config",
    "machine_settings",
    "outweighed",
    "render_config",
    "without_secrets",
]
