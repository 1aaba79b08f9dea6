"""A video that browsers play, written frame by frame: H.264 in mp4, through the ffmpeg that imageio-ffmpeg ships."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.errors import InputError

CLOSE_TIMEOUT = 60.0
"""Seconds that ffmpeg may take to finish a file after the last frame."""


class VideoFile:
    """One mp4 file. It appears under its name when it is closed, whole; without a frame it never does.

    Args:
        path: where the video goes; its folder exists.
        frames_per_second: of the video, > 0.
    """

    def __init__(self, path: Path, frames_per_second: float) -> None:
        self.path = path
        self.frames = 0
        self._rate = frames_per_second
        self._shape: tuple[int, ...] = ()
        self._temporary = path.with_name(f".{path.stem}.partial.mp4")
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the video

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Append a frame, shape (height, width, 3). Raises `InputError` when the file cannot be written."""
        if self._process is None:
            self._shape = frame.shape
            self._process = self._start()
        if frame.shape != self._shape:
            raise InputError(f"{self.path}: a frame of shape {frame.shape} follows frames of shape {self._shape}")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame, dtype=np.uint8).data)
        except OSError as error:
            raise self._failure() from error
        self.frames += 1

    def close(self) -> None:
        """Finish the video and rename it to its final name. Raises `InputError` when ffmpeg could not write it."""
        if self._process is None:
            self._messages.close()
            return
        # ffmpeg writes the index of the file after its input ends.
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            failed = self._process.wait(CLOSE_TIMEOUT) != 0
        except (OSError, subprocess.TimeoutExpired):
            failed = True
        if failed:
            raise self._failure()
        self._messages.close()
        self._process = None
        try:
            self._temporary.replace(self.path)
        except OSError as error:
            self._temporary.unlink(missing_ok=True)
            raise InputError(f"cannot write {self.path}: {error.strerror}") from error

    def discard(self) -> None:
        """Stop recording and remove the file."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        self._messages.close()
        self._temporary.unlink(missing_ok=True)

    def _start(self) -> subprocess.Popen[bytes]:
        import imageio_ffmpeg

        height, width, _ = self._shape
        # yuv420p needs even sides; one thread leaves the cores to the players.
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-s", f"{width}x{height}", "-r", f"{self._rate:g}", "-i", "-", "-an",
            "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "22",
            "-pix_fmt", "yuv420p", "-threads", "1", "-movflags", "+faststart", str(self._temporary),
        ]  # fmt: skip
        try:
            # A session of its own keeps Ctrl-C from ending ffmpeg before the file is finished.
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._messages, start_new_session=True
            )
        except OSError as error:
            raise InputError(f"cannot write {self.path}: ffmpeg does not start: {error.strerror}") from error

    def _failure(self) -> InputError:
        """Return the messages of ffmpeg as an error, and remove the unfinished file."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait(CLOSE_TIMEOUT)
            self._process = None
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").strip().splitlines()
        self._messages.close()
        self._temporary.unlink(missing_ok=True)
        # The first line is the cause, without the part of ffmpeg that it comes from; the others follow from it.
        reason = lines[0].rpartition("] ")[2] if lines else "ffmpeg ended without a word"
        return InputError(f"cannot write {self.path}: {reason}")
