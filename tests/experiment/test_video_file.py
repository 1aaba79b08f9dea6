from __future__ import annotations

from pathlib import Path

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.recording.video import VideoRecorder
from rl_pipeline.experiment.recording.video_file import VideoFile


def decoded(path: Path) -> tuple[dict[str, object], np.ndarray]:
    """Facts about a video and its frames, shape (n, height, width, 3), as a player would see them."""
    frames = imageio_ffmpeg.read_frames(str(path))
    facts = next(frames)
    width, height = facts["size"]
    return facts, np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in frames])


def test_a_video_is_what_browsers_play(tmp_path: Path) -> None:
    path = tmp_path / "red.mp4"
    with VideoFile(path, 10) as video:
        for _ in range(5):
            video.add(np.full((31, 47, 3), (200, 30, 30), np.uint8))
    facts, frames = decoded(path)
    content = path.read_bytes()
    assert facts["codec"] == "h264"
    assert str(facts["pix_fmt"]).startswith("yuv420p")
    assert content.index(b"moov") < content.index(b"mdat"), "faststart: the index comes before the pictures"
    assert frames.shape == (5, 32, 48, 3), "odd sides are padded to even ones"
    assert np.abs(frames[:, 8:24, 8:40].mean(axis=(0, 1, 2)) - (200, 30, 30)).max() < 8
    assert [file.name for file in tmp_path.iterdir()] == ["red.mp4"]


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    video = VideoFile(tmp_path / "a.mp4", 10)
    video.add(np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(RuntimeError), video:
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_no_frames_make_no_file(tmp_path: Path) -> None:
    with VideoFile(tmp_path / "a.mp4", 10):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    video = VideoFile(tmp_path / "gone" / "a.mp4", 10)
    video.add(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(InputError, match=r"cannot write .*gone/a.mp4: .*No such file or directory"):
        video.close()


def test_recordings_begin_at_step_0_and_at_each_trigger(tmp_path: Path) -> None:
    finished: list[tuple[str, int]] = []
    venv = make_vec_env("CartPole-v1", n_envs=2, env_kwargs={"render_mode": "rgb_array"})
    recorder = VideoRecorder(venv, tmp_path, 8, 5, lambda path, step: finished.append((path.name, step)))
    recorder.reset()
    for _ in range(18):
        recorder.step(np.array([0, 1]))
    recorder.finish()
    recorder.close()
    assert finished == [("rl-video-step-0.mp4", 0), ("rl-video-step-8.mp4", 8), ("rl-video-step-16.mp4", 16)]
    counts = {name: len(decoded(tmp_path / name)[1]) for name, _ in finished}
    assert counts == {"rl-video-step-0.mp4": 6, "rl-video-step-8.mp4": 5, "rl-video-step-16.mp4": 2}
    frames = decoded(tmp_path / "rl-video-step-0.mp4")[1]
    assert frames.std() > 10, "not blank"


def test_an_environment_that_draws_nothing_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = VideoRecorder(DummyVecEnv([lambda: gymnasium.make("CartPole-v1")]), tmp_path, 2, 2)
    recorder.reset()
    for _ in range(6):
        recorder.step(np.array([0]))
    recorder.close()
    assert [record.message for record in caplog.records if "no videos" in record.message] == [
        "no videos: the environment draws no frames"
    ]
    assert not list(tmp_path.iterdir())
