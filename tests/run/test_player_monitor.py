"""A hint at the pauses of Unity's connector, from the response times of a training's players."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.run.callbacks import player_monitor
from rl_pipeline.run.callbacks.player_monitor import SLOW_RESPONSE, PlayerMonitor
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask

PAUSE = "s/^import argparse/import argparse, time/; s/^    pose = /    time.sleep(0.012); pose = /"
STAMPS = "s/bytes(16)/struct.pack('<iIiI', *divmod(time.time_ns() - 10**10, 10**9), *divmod(time.time_ns(), 10**9))/"


@pytest.mark.parametrize(
    ("changes", "is_build", "slow", "hints"),
    [
        pytest.param(PAUSE, True, SLOW_RESPONSE, 1, id="pause"),
        pytest.param(f"{PAUSE}; {STAMPS}", True, SLOW_RESPONSE, 0, id="slow simulation"),
        pytest.param(PAUSE, False, SLOW_RESPONSE, 0, id="no build"),
        pytest.param(PAUSE, True, 60.0, 0, id="quick enough"),
    ],
)
def test_hint_at_the_pauses_of_a_connector_is_given_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    build: Callable[[str], Path],
    settings: Callable[..., SimulationConfig],
    changes: str,
    is_build: bool,
    slow: float,
    hints: int,
) -> None:
    monkeypatch.setattr(player_monitor, "PERIOD", 0.0)
    monkeypatch.setattr(player_monitor, "SLOW_RESPONSE", slow)
    player = build(f'sed "{changes}" {{handmade}} > "$0.$$.py"; exec {{python}} "$0.$$.py" "$@"')
    with Simulation(settings(player), "navigation", tmp_path / "players") as simulation:
        venv = PlayerVecEnv(PlayerVectorEnv(NavigationTask(), simulation, 1))
        model = PPO("MlpPolicy", venv, device="cpu")
        model.set_logger(Logger(None, []))
        monitor = PlayerMonitor(venv, tmp_path / "communication.json", is_build=is_build)
        monitor.init_callback(model)
        venv.reset()
        for step in range(110):
            assert "SleepTimeSeconds" not in caplog.text or step >= 100
            venv.step(np.ones((1, 2), np.float32))
            monitor.after_step(step + 1)
    assert caplog.text.count("ROSConnection.SleepTimeSeconds") == hints
