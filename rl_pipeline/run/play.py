"""`rl-pipeline play`: show an agent, in a video or live."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from rl_pipeline.config import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.communication_table import show_communication
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.evaluation.rollout import play_episodes, record_episodes
from rl_pipeline.evaluation.selection import Selection
from rl_pipeline.experiment.atomic_files import check_destination
from rl_pipeline.experiment.recording.bags import recorded
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)


def play(
    selection: Selection,
    *,
    episodes: int,
    seed: int | None,
    video: Path | None,
    show: bool,
    monitor: bool,
    record_bag: Path | None,
    console: Console,
) -> None:
    """Let an agent play, and write a video, or with `show` open the simulator's window in real time.

    Args:
        selection: the agent and its configuration.
        episodes: number of episodes, one after another.
        seed: seed of the first episode; None: that of the `evaluation` section.
        video: file of the video; None: `videos/play.mp4` of the experiment, else `play.mp4` here.
        show: open a window instead of writing a video.
        monitor: show the communication with the player too, live.
        record_bag: folder of ROS 2 bags, one for each episode; None: none are recorded.
        console: prints the outcome.

    Raises:
        InputError: the environment draws no frames, or the video cannot be written.
    """
    # Check the output before a simulator is started.
    path = video or _default_video(selection)
    _check_output(path, show)
    config = watched_config(selection.config, show)
    first = config.evaluation.seed if seed is None else seed
    # Play, with frames or a window.
    with (
        tempfile.TemporaryDirectory() as logs,
        Environments(config, Path(logs)) as environments,
    ):
        if not show and environments.missing_frames:
            raise InputError(f"no video: {environments.missing_frames}")
        venv = open_evaluation_environments(environments, config, 1, first)
        agent = selection.make_agent(venv)
        deterministic = config.evaluation.deterministic
        facts = {"environment": config.environment.id, "agent": selection.name}
        with recorded(venv, record_bag, episodes, **facts), show_communication(venv, console, monitor) as each_step:
            if show:
                result = play_episodes(agent, venv, episodes, first, deterministic=deterministic, each_step=each_step)
                noun = plural(episodes, "episode")
                outcome = f"{episodes} {noun}, return {result.returns.mean():.2f} on average"
            elif record_episodes(agent, venv, path, episodes, first, deterministic=deterministic, each_step=each_step):
                outcome = f"video: {path}"
            else:
                raise InputError(
                    f"no video: {config.environment.id} draws no frames (environment.render_mode=rgb_array)"
                )
        console.print(outcome, soft_wrap=True, highlight=False)
        if record_bag is not None:
            console.print(f"bags: {escape(str(record_bag))}", soft_wrap=True, highlight=False)


def _check_output(video: Path, show: bool) -> None:
    """Raise `InputError` if the window cannot be opened, or without `show` the video cannot be written."""
    if show:
        require_display()
        return
    check_destination(video, "--video")
    if video.suffix != ".mp4":
        raise InputError(f"--video: expected a name that ends with .mp4, found {video.name}")


def watched_config(config: Config, show: bool) -> Config:
    """Return the configuration with frames drawn, or with a window in real time."""
    mode = "human" if show else "rgb_array"
    environment = config.environment.model_copy(update={"render_mode": mode})
    changes: dict[str, object] = {"environment": environment}
    if show:
        unity = config.simulation.unity.model_copy(update={"headless_mode": False, "time_scale": 1.0})
        changes["simulation"] = config.simulation.model_copy(update={"unity": unity})
    return config.model_copy(update=changes)


def require_display(option: str = "--show", instead: str = "without --show a video is written") -> None:
    """Raise `InputError` without a display, naming the option that needs one and the alternative."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise InputError(
            f"{option}: a window needs a display, but neither DISPLAY nor WAYLAND_DISPLAY is set; {instead}"
        )


def _default_video(selection: Selection) -> Path:
    if selection.folder is None:
        return Path("play.mp4")
    selection.folder.videos.mkdir(exist_ok=True)
    return selection.folder.videos / "play.mp4"
