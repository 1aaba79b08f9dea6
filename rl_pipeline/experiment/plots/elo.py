"""History of the Elo ratings of self-play, and its plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rl_pipeline.experiment.atomic_files import whole_file
from rl_pipeline.experiment.plots.training_curves import EVALUATION, GRID, INK, TRAINING

_MOST_POINTS: Final = 2000


@dataclass
class EloHistory:
    """Ratings over environment steps, summed over the environments.

    Attributes:
        timesteps: when the learner's rating was noted.
        ratings: the learner's rating then.
        snapshot_timesteps: when snapshots were taken.
        snapshot_ratings: their ratings then.
        spacing: least steps between two notes.
    """

    timesteps: list[int] = field(default_factory=list)
    ratings: list[float] = field(default_factory=list)
    snapshot_timesteps: list[int] = field(default_factory=list)
    snapshot_ratings: list[float] = field(default_factory=list)
    spacing: int = 1

    def add(self, timesteps: int, rating: float) -> None:
        """Note the learner's rating; where there are many, every other one is forgotten."""
        self.timesteps.append(timesteps)
        self.ratings.append(rating)
        if len(self.timesteps) > _MOST_POINTS:
            self.timesteps, self.ratings = self.timesteps[::2], self.ratings[::2]
            self.spacing = max(2 * self.spacing, self.timesteps[-1] - self.timesteps[-2])

    def add_snapshot(self, timesteps: int, rating: float) -> None:
        """Note a snapshot."""
        self.snapshot_timesteps.append(timesteps)
        self.snapshot_ratings.append(rating)

    def state_dict(self) -> dict[str, Any]:
        """Return the whole history."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a history."""
        for name in self.state_dict():
            setattr(self, name, state[name])


def draw_elo(path: Path, title: str, history: EloHistory) -> None:
    """Write the plot atomically: the learner's rating as a line, its snapshots as dots."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    figure = Figure(figsize=(7.2, 4.0), dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, color=INK, fontsize=11, fontweight="bold", loc="left")
    axes.plot(history.timesteps, history.ratings, color=TRAINING, linewidth=2.0, label="agent")
    axes.plot(
        history.snapshot_timesteps, history.snapshot_ratings, "o", color=EVALUATION, markersize=4, label="its snapshots"
    )
    # The look of the other plots.
    axes.set_xlabel("environment steps", color=INK, fontsize=9)
    axes.set_ylabel("Elo rating", color=INK, fontsize=9)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left")
    with whole_file(path) as temporary:
        figure.savefig(temporary)
