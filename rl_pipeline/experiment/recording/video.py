"""Videos during training: environment 0, every so many steps, drawn only while recording."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rl_pipeline.envs.unwrapping import are_apart, request_frames
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.recording.video_file import VideoFile
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

DEFAULT_FRAME_RATE = 30.0
MAX_DRAWING_SECONDS = 60.0
"""Time that drawing the frames of one recording may take: GL that computes on the CPU draws two frames a second."""


def frame_of(venv: VecEnv) -> NDArray[np.uint8] | None:
    """The picture of environment 0 after the last step, shape (height, width, 3); None when it draws none.

    Raises `InputError` when the environment fails to draw it.
    """
    try:
        if are_apart(venv):
            # get_images() would draw every environment.
            if venv.render_mode != "rgb_array":
                return None
            frame = venv.env_method("render", indices=[0])[0]
        else:
            frame = venv.get_images()[0]
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"the environment fails to draw a frame: {type(error).__name__}: {error}") from error
    return frame if isinstance(frame, np.ndarray) else None


def frame_rate(venv: VecEnv) -> float:
    """Frames per second of simulated time that the environments draw."""
    metadata = venv.get_attr("metadata", indices=[0])[0]
    return float((metadata or {}).get("render_fps") or DEFAULT_FRAME_RATE)


class VideoRecorder(VecEnvWrapper):
    """Records `rl-video-step-<step>.mp4` of environment 0; the first recording begins at step 0.

    A video that cannot be made costs a warning, never the training.

    Args:
        venv: the training environments.
        folder: folder of the videos.
        trigger: steps of one environment between the beginnings of two recordings.
        length: steps of one recording.
        finished: called with each video and the step it began at.
        step: steps of one environment that a resumed run had taken before.

    Attributes:
        draws: False once the environment has failed to draw a frame.
    """

    def __init__(
        self,
        venv: VecEnv,
        folder: Path,
        trigger: int,
        length: int,
        finished: Callable[[Path, int], None] | None = None,
        step: int = 0,
    ) -> None:
        super().__init__(venv)
        self.draws = True
        self._folder, self._trigger, self._length, self._finished = folder, trigger, length, finished
        # Steps of one environment; a resumed run counts on.
        self._step = step
        self._began = step
        self._video: VideoFile | None = None
        self._drawing = 0.0
        self._disabled = False

    def reset(self) -> VecEnvObs:
        """Reset every environment; before the first step this begins the first recording."""
        self._begin_if_due()
        observations = self.venv.reset()
        self._add_frame()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send the actions; a recording that is due begins with this step."""
        self._begin_if_due()
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Pass a step on, keeping its frame while recording."""
        result = self.venv.step_wait()
        self._step += 1
        last = self._step >= self._began + self._length
        # After the end of an episode, environment 0 shows the first state of the next.
        if not (last and result[2][0]):
            self._add_frame()
        if self._video is not None and last:
            self.finish()
        return result

    def finish(self) -> None:
        """End the recording in progress, if any, and keep its frames."""
        video, self._video = self._video, None
        if video is None:
            return
        request_frames(self.venv, False)
        try:
            video.close()
        except InputError as error:
            self._give_up(str(error))
            return
        if video.frames and self._finished is not None:
            self._finished(video.path, self._began)

    def _begin_if_due(self) -> None:
        if self._video is None and not self._disabled and self._step % self._trigger == 0:
            self._began = self._step
            self._drawing = 0.0
            self._video = VideoFile(self._folder / f"rl-video-step-{self._step}.mp4", frame_rate(self.venv))
            request_frames(self.venv, True)

    def _add_frame(self) -> None:
        if self._video is None:
            return
        # The environment may fail to draw, and the file may refuse the frame: either ends the recording of videos.
        began = time.monotonic()
        try:
            frame = frame_of(self.venv)
        except InputError as error:
            self.draws = False
            self._give_up(str(error))
            return
        try:
            if frame is not None:
                self._video.add(frame)
            elif self._step > self._began:
                self.draws = False
                self._give_up("the environment draws no frames")
        except InputError as error:
            self._give_up(str(error))
        self._drawing += time.monotonic() - began
        if self._video is not None and self._drawing > MAX_DRAWING_SECONDS:
            logger.info(
                "%s ends after %d %s: drawing took %g s",
                self._video.path, self._video.frames, plural(self._video.frames, "frame"), MAX_DRAWING_SECONDS,
            )  # fmt: skip
            self.finish()

    def _give_up(self, reason: str) -> None:
        logger.warning("no videos: %s", reason)
        self._disabled = True
        if self._video is not None:
            self._video.discard()
            self._video = None
            request_frames(self.venv, False)
