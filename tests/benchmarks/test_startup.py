"""How a training begins: what it waits for, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.benchmarks.startup import measure_startup
from tests.support import prepared

NEW_MODEL = """
import sys
from stable_baselines3.common.vec_env import DummyVecEnv
import gymnasium
from rl_pipeline.algorithms.build import build
from rl_pipeline.config import load_config

venv = DummyVecEnv([lambda: gymnasium.make("CartPole-v1")])
model = build(load_config(None, overrides=["environment.id=CartPole-v1"]), venv)
state = model.policy.optimizer.state_dict()
model.policy.optimizer.load_state_dict(state)
print("torch._dynamo" in sys.modules)
"""

LEARNED = """
import sys
name, spared = sys.argv[1], int(sys.argv[2])
if not spared:
    import torch._dynamo
import gymnasium, hashlib, torch
from stable_baselines3.common.vec_env import DummyVecEnv
from rl_pipeline.algorithms.build import build
from rl_pipeline.config import load_config

torch.set_num_threads(1)
overrides = ["environment.id=Pendulum-v1", f"algorithm={name}", "training.device=cpu", "training.seed=1"]
venv = DummyVecEnv([lambda: gymnasium.make("Pendulum-v1")])
venv.seed(1)
model = build(load_config(None, overrides=overrides), venv)
model.learning_starts = 32
model.learn(64)
parameters = b"".join(value.numpy().tobytes() for value in model.policy.state_dict().values())
print("torch._dynamo" in sys.modules, hashlib.sha256(parameters).hexdigest())
"""


def said(folder: Path, code: str, *arguments: object) -> list[str]:
    """Run a script and return the words that it prints."""
    script = folder / "script.py"
    script.write_text(code)
    done = prepared.run(["python", script, *arguments], folder)
    done.check_returncode()
    return done.stdout.split()


def test_a_new_model_does_not_import_the_compiler_of_pytorch(tmp_path: Path) -> None:
    assert said(tmp_path, NEW_MODEL)[-1] == "False"


@pytest.mark.parametrize("name", ["sac", "a2c"])
def test_nor_does_learning_which_changes_nothing_in_what_is_learned(tmp_path: Path, name: str) -> None:
    """The parameters after an update are those of PyTorch's own step, bit for bit."""
    spared, digest = said(tmp_path, LEARNED, name, 1)
    loaded, other = said(tmp_path, LEARNED, name, 0)
    assert (spared, loaded) == ("False", "True")
    assert digest == other


@pytest.mark.slow
def test_the_benchmark_times_a_start_and_the_imports_in_it() -> None:
    seconds = measure_startup(2, repetitions=1).values["seconds"]
    assert seconds["2 players"][0] > 0.1
    assert seconds["imports"][0] > 0.1
