"""The configuration: composed from configs/, config.yml and the command line, and validated before anything runs.

Names are imported on first use: the launcher of players imports `config.yaml_loader` where pydantic is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rl_pipeline.lazy_names import attach_names

if TYPE_CHECKING:
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

_MODULES = {
    "MACHINE_FILE": ".loading",
    "NO_MACHINE_FILE": ".loading",
    "Config": ".schema",
    "InvalidConfigError": ".validation",
    "MachineSettings": ".loading",
    "activate": ".loading",
    "config_origin": ".validation",
    "load_config": ".loading",
    "located": ".validation",
    "machine_settings": ".loading",
    "outweighed": ".loading",
    "render_config": ".rendering",
    "without_secrets": ".rendering",
}
"""The module of this package that each name is imported from."""

__getattr__, __dir__ = attach_names(__name__, _MODULES)
