"""Where the networks are computed: CPU or CUDA, and how many threads PyTorch may take from the players."""

from __future__ import annotations

import logging
import os

import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.errors import InputError

logger = logging.getLogger(__name__)

SMALL_POLICY = 500_000
"""Parameters below which more than one thread makes an update slower, not faster."""


def resolve_device(name: str) -> str:
    """The device to use for `training.device`: `cuda` without CUDA falls back to the CPU, with a warning.

    Raises `InputError` for a CUDA device that this machine does not have beside others.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type != "cuda":
        return name
    if not torch.cuda.is_available():
        logger.warning("training.device is %s, but CUDA is not available here: using the CPU", name)
        return "cpu"
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise InputError(
            f"training.device: {name} does not exist; this machine has cuda:0 to cuda:{torch.cuda.device_count() - 1}"
        )
    return name


def leave_cores_to_players(model: BaseAlgorithm) -> int:
    """Limit PyTorch's threads for this process; OMP_NUM_THREADS, when set, is left to decide. Returns the number.

    One thread for a small policy on the CPU: its matrices are too small to share out, and the players need the cores.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        size = sum(parameter.numel() for parameter in model.policy.parameters())
        small = size < SMALL_POLICY or model.device.type != "cpu"
        torch.set_num_threads(1 if small else max(1, (os.cpu_count() or 1) // 2))
    return torch.get_num_threads()
