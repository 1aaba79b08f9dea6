from __future__ import annotations

import copy
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rl_pipeline import cli

EXAMPLES = Path(__file__).parents[2] / "examples" / "runner"

PARAMS: dict[str, Any] = {
    "seed": 3,
    "algo": {"name": "a2c_discrete"},
    "model": {"name": "discrete_a2c"},
    "network": {"name": "actor_critic", "separate": False, "mlp": {"units": [16], "activation": "tanh"}},
    "config": {
        "name": "Tiny",
        "env_name": "CartPole-v1",
        "num_actors": 2,
        "horizon_length": 32,
        "minibatch_size": 32,
        "mini_epochs": 1,
        "max_epochs": 4,
        "gamma": 0.99,
        "tau": 0.9,
        "learning_rate": 1e-3,
        "save_frequency": 2,
        "device": "cpu",
        "player": {"games_num": 3},
    },
}
MACHINE = """
training: {log_points: 1, eval: {num_evals: 1, num_episodes: 1}}
evaluation: {num_episodes: 5}
"""


def changed(params: dict[str, Any] = PARAMS, **changes: Any) -> dict[str, Any]:
    """`PARAMS` with other values by dotted key, `__` for the dot; None takes a key away."""
    result = copy.deepcopy(params)
    for key, value in changes.items():
        *sections, last = key.split("__")
        inner = result
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
        if value is None:
            del inner[last]
    return result


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory of a module's tests: machine settings that keep runs short, and `tiny.yaml`."""
    folder, former = tmp_path_factory.mktemp("runner"), Path.cwd()
    (folder / "config.yml").write_text(MACHINE)
    (folder / "tiny.yaml").write_text(yaml.safe_dump({"params": PARAMS}))
    os.chdir(folder)
    yield folder
    os.chdir(former)


@pytest.fixture(scope="module")
def command(place: Path) -> Iterator[Callable[..., int]]:
    """Call the command in this process; what it sets there is undone."""
    hook, handlers = threading.excepthook, {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}
    yield lambda *arguments: cli.run([str(argument) for argument in arguments])
    threading.excepthook = hook
    for number, handler in handlers.items():
        signal.signal(number, handler)
