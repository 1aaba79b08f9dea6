"""The benchmarks of `rl-pipeline benchmark` by name.

A benchmark is a function of keyword arguments that returns `Figures`; each has a file of its own. Those of its
arguments that the command line has as options are passed on, and `progress`, called with each case before it is
measured. To add one, write the file and register it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rl_pipeline.benchmarks.figures import Figures
from rl_pipeline.registry import Registry

BENCHMARKS: Final = Registry[Callable[..., Figures]]("benchmark")
"""All benchmarks, in the order of `all`; imported when they are run, since each needs packages of its own."""
for _name, _target in {
    "transport": "transport:measure_transport",
    "connector": "connector:measure_connector",
    "images": "camera_images:measure_images",
    "worlds": "multi_world:measure_worlds",
    "mlagents": "mlagents:measure_mlagents",
    "ros": "ros:measure_ros",
    "ros-endpoint": "ros_endpoint:measure_ros_endpoint",
    "training": "training:measure_training",
    "scaling": "scaling:measure_scaling",
    "double-buffer": "double_buffering:measure_double_buffer",
    "environments": "environments:measure_environments",
    "startup": "startup:measure_startup",
    "memory": "memory:measure_memory",
    "soak": "soak:measure_soak",
}.items():
    BENCHMARKS.register(_name, f"rl_pipeline.benchmarks.{_target}")

EXCLUDED_FROM_ALL: Final = frozenset({"scaling", "soak"})
"""Benchmarks that `all` leaves out: one has a chart of its own, the other is an endurance test."""
WITHOUT_CHART: Final = frozenset({"double-buffer", "environments", "memory", "soak"})
COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = {"transport": ("ros-endpoint",)}
"""Benchmarks to run after another one, where the packages that they need are installed."""
