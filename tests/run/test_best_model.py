"""The video of a run's end: whole episodes, bounded in time, and never a reason for the run to fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.evaluation.agents import ZeroAgent
from rl_pipeline.evaluation.rollout import record_episodes
from rl_pipeline.experiment.recording.video import VideoRecorder
from rl_pipeline.run import best_model
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]


class Shaded(gymnasium.Env[Any, Any]):
    """Episodes of four steps, each drawn in a grey of its own: 40, 120, 200."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None, fails: bool = False) -> None:
        self.render_mode, self.fails, self.episode, self.taken = render_mode, fails, -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.episode, self.taken = self.episode + 1, 0
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.taken += 1
        return np.zeros(2, np.float32), 1.0, self.taken == 4, False, {}

    def render(self) -> Any:
        if self.fails:
            raise RuntimeError("an OpenGL context could not be created")
        return np.full((64, 64, 3), 40 + 80 * (self.episode % 3), np.uint8)


gymnasium.register("Test/Shaded-v0", Shaded)


def shades(path: Path) -> list[int]:
    """The grey of each frame, as the number of its episode."""
    frames = imageio_ffmpeg.read_frames(str(path))
    next(frames)
    return [round((np.frombuffer(frame, np.uint8).mean() - 40) / 80) for frame in frames]


@pytest.mark.parametrize("episodes", [1, 2])
def test_a_video_shows_the_episodes_asked_for_and_none_of_the_next(tmp_path: Path, episodes: int) -> None:
    venv = DummyVecEnv([lambda: Shaded("rgb_array")])
    frames = record_episodes(ZeroAgent(venv.action_space, 1), venv, tmp_path / "a.mp4", episodes, seed=0)
    assert shades(tmp_path / "a.mp4") == [episode for episode in range(episodes) for _ in range(4)]
    assert frames == 4 * episodes


def test_a_recording_of_the_training_does_not_end_in_the_next_episode(tmp_path: Path) -> None:
    venv = VideoRecorder(DummyVecEnv([lambda: Shaded("rgb_array")]), tmp_path, trigger=100, length=4)
    venv.reset()
    for _ in range(4):
        venv.step(np.zeros(1, int))
    assert set(shades(tmp_path / "rl-video-step-0.mp4")) == {0}


def test_a_video_that_takes_too_long_ends_with_what_it_has(tmp_path: Path) -> None:
    venv = DummyVecEnv([lambda: Shaded("rgb_array")])
    agent = ZeroAgent(venv.action_space, 1)
    assert record_episodes(agent, venv, tmp_path / "a.mp4", 10, seed=0, max_seconds=0.0) == 2
    assert len(shades(tmp_path / "a.mp4")) == 2


@pytest.mark.parametrize("video_wrapper", [False, True])
def test_an_environment_that_cannot_draw_costs_one_warning_and_not_the_run(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture, video_wrapper: bool
) -> None:
    environment = {"id": "Test/Shaded-v0", "env_config": {"fails": True}, "video_wrapper": video_wrapper}
    training = {"total_timesteps": 64, "eval": {"num_evals": 0}}
    caplog.set_level("INFO")
    result = RLTrainer(make_config(environment=environment, training=training)).train()
    assert result.video is None
    assert result.evaluation is not None
    assert json.loads(result.folder.metadata.read_text())["status"] == "done"
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    drawing = [text for text in warnings if "RuntimeError: an OpenGL context could not be created" in text]
    assert len(drawing) == 1
    assert (f"filming the best model: {best_model.VIDEO_EPISODES} episodes" in caplog.text) != video_wrapper
