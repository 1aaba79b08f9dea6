"""Compare rl_pipeline with plain Stable-Baselines3: learning curves and wall time at equal hyperparameters and seeds.

python tools/against_sb3.py --seeds 5 --json against_sb3.json --plot against_sb3.png

Every run is a process of its own. The two take turns, so that a machine that becomes slow is so for both. Times begin
after the imports and end when the model is saved. The hyperparameters are RL Zoo's published ones
(https://github.com/DLR-RM/rl-baselines3-zoo, hyperparams/ppo.yml and sac.yml), as in configs/.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.experiment.plots.learning_curves import Episodes
from rl_pipeline.experiment.statistics import student_interval

CASES = {"cartpole_ppo": 8, "pendulum_ppo": 4, "pendulum_sac": 1}
"""Experiment files of configs/, with RL Zoo's number of environments for each."""
SIDES = ("sb3", "trainer")
POINTS = 50
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
"""Environment of all runs: networks this small are no faster with more threads, and far slower on busy cores."""
REACH = 1.05


@dataclass(frozen=True)
class Comparison:
    """Learning curves and times of both sides in one case.

    Attributes:
        case: the experiment file.
        grid: (p,) environment steps.
        curves: by side, (seeds, p) return, the mean of recent episodes.
        seconds: by side, wall time of each seed's run.
        cpu_seconds: by side, processor time of each run, which depends less on the load of the machine.
    """

    case: str
    grid: np.ndarray
    curves: dict[str, np.ndarray]
    seconds: dict[str, list[float]]
    cpu_seconds: dict[str, list[float]]

    def mean(self, side: str) -> np.ndarray:
        """Return the mean curve of a side, (p,)."""
        return self.curves[side].mean(axis=0)

    def interval(self, side: str) -> np.ndarray:
        """Return the 95% interval of that mean, (p, 2), by Student's t over the seeds."""
        return np.array([student_interval(column) for column in self.curves[side].T])

    def within(self) -> float:
        """Return the share of points at which the trainer's mean is within the interval of plain Stable-Baselines3."""
        low, high = self.interval("sb3").T
        mean = self.mean("trainer")
        # Where all seeds agree, the interval is a point: allow for the last digits.
        slack = 1e-9 * np.abs(mean)
        return float(np.mean((mean >= low - slack) & (mean <= high + slack)))

    def ratios(self) -> list[float]:
        """Return the wall time of the trainer divided by that of plain Stable-Baselines3, for each seed."""
        return _ratios(self.seconds)

    def cpu_ratios(self) -> list[float]:
        """Return the same of processor time."""
        return _ratios(self.cpu_seconds)

    def figures(self) -> dict[str, Any]:
        """Return everything for JSON."""
        sides = {
            side: {
                "mean": self.mean(side).tolist(),
                "interval": self.interval(side).tolist(),
                "seconds": self.seconds[side],
                "cpu_seconds": self.cpu_seconds[side],
            }
            for side in SIDES
        }
        ratios = {"wall_time_ratios": self.ratios(), "cpu_time_ratios": self.cpu_ratios()}
        case = {"case": self.case, "within_interval": self.within()}
        return {**case, **ratios, "timesteps": self.grid.tolist(), **sides}


def _ratios(seconds: dict[str, list[float]]) -> list[float]:
    return [ours / theirs for theirs, ours in zip(*(seconds[side] for side in SIDES), strict=True)]


def configuration(case: str, seed: int, timesteps: int | None, folder: Path) -> Config:
    """Return the configuration of both sides, without evaluations and videos, which plain Stable-Baselines3 lacks."""
    overrides = [
        *(f"training.seed={seed}", f"n_environments={CASES[case]}", f"experiment.directory={folder}"),
        *("environment.render_mode=null", "environment.video_wrapper=false", "training.device=cpu"),
        *("training.eval.num_evals=0", "evaluation.num_episodes=1", "training.verbose=0"),
    ]
    if timesteps is not None:
        overrides.append(f"training.total_timesteps={timesteps}")
    return load_config(case, machine_file=NO_MACHINE_FILE, overrides=overrides)


def train_plain(config: Config, folder: Path) -> Path:
    """Train as a script of Stable-Baselines3 does; returns the CSV file of the episodes."""
    from stable_baselines3 import PPO, SAC
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    rows: list[tuple[int, float]] = []

    class EpisodeCallback(BaseCallback):
        def _on_step(self) -> bool:
            infos = self.locals["infos"]
            rows.extend((self.num_timesteps, info["episode"]["r"]) for info in infos if "episode" in info)
            return True

    def schedule(value: Any) -> Any:
        if not str(value).startswith("lin_"):
            return value
        start = float(value.removeprefix("lin_"))
        return lambda remaining: remaining * start

    # The same hyperparameters, with schedules as functions.
    algorithm = {"ppo": PPO, "sac": SAC}[config.algorithm.name]
    parameters = {key: schedule(value) for key, value in config.algorithm.parameters.items() if key != "policy"}
    training = config.training
    venv = make_vec_env(config.environment.id, config.simulation.n_environments, seed=training.seed)
    model = algorithm("MlpPolicy", venv, seed=training.seed, device="cpu", **parameters)
    model.learn(training.total_timesteps, EpisodeCallback())
    model.save(folder / "model.zip")
    with (folder / "episodes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("timesteps", "return"), *rows])
    return folder / "episodes.csv"


def train_here(config: Config) -> Path:
    """Train with this package; returns the CSV file of the episodes."""
    from rl_pipeline.run.rl_trainer import RLTrainer

    return RLTrainer(config).train().folder.episodes


def run(side: str, case: str, seed: int, timesteps: int | None) -> dict[str, Any]:
    """Train once in this process; returns seconds and learning curve."""
    import rl_pipeline.run.rl_trainer  # noqa: F401  # both sides are timed without their imports

    with tempfile.TemporaryDirectory() as directory:
        config = configuration(case, seed, timesteps, Path(directory))
        began, cpu_began = time.perf_counter(), time.process_time()
        episodes = train_plain(config, Path(directory)) if side == "sb3" else train_here(config)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
        steps, returns = Episodes.read(episodes).smoothed("timesteps", "return")
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "timesteps": steps.tolist(), "returns": returns.tolist()}


def compare(case: str, seeds: Sequence[int], timesteps: int | None) -> Comparison:
    """Train both sides with each seed; they also take turns in going first."""
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for index, seed in enumerate(seeds):
        for side in SIDES if index % 2 == 0 else SIDES[::-1]:
            command = [sys.executable, __file__, "--run", side, "--cases", case, "--seed", str(seed)]
            if timesteps is not None:
                command += ["--timesteps", str(timesteps)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=ONE_THREAD)
            results[side].append(json.loads(done.stdout))
        theirs, ours = (results[side][-1]["seconds"] for side in SIDES)
        print(f"{case} seed {seed}: plain {theirs:.1f} s, trainer {ours:.1f} s", file=sys.stderr, flush=True)
    # Curves on a common grid, over the steps that all of them cover.
    everything = [result for side in SIDES for result in results[side]]
    start = max(result["timesteps"][0] for result in everything)
    end = min(result["timesteps"][-1] for result in everything)
    grid = np.linspace(start, end, POINTS)
    curves = {
        side: np.array([np.interp(grid, result["timesteps"], result["returns"]) for result in results[side]])
        for side in SIDES
    }
    seconds, cpu_seconds = (
        {side: [result[name] for result in results[side]] for side in SIDES} for name in ("seconds", "cpu_seconds")
    )
    return Comparison(case, grid, curves, seconds, cpu_seconds)


def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Draw a panel for each case: the mean of each side with its 95% interval as a band."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from rl_pipeline.experiment.plots.comparison import COLOURS
    from rl_pipeline.experiment.plots.training_curves import INK, style_axes

    figure = Figure(figsize=(4.6 * len(comparisons), 3.9), dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    names = {"sb3": "plain Stable-Baselines3", "trainer": "rl_pipeline"}
    for index, comparison in enumerate(comparisons):
        axes = figure.add_subplot(1, len(comparisons), index + 1)
        style_axes(axes, f"{comparison.case}: {statistics.median(comparison.ratios()):.2f} times the wall time")
        axes.set_ylabel("return", color=INK, fontsize=9)
        for side, colour, line in zip(SIDES, COLOURS, ("-", "--"), strict=False):
            axes.plot(comparison.grid, comparison.mean(side), line, color=colour, label=names[side])
            axes.fill_between(comparison.grid, *comparison.interval(side).T, color=colour, alpha=0.18, linewidth=0)
    count = len(comparisons[0].seconds["sb3"])
    title = f"mean of {count} seeds, bands: 95% interval"
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, color=INK, fontsize=11)
    figure.savefig(path)


def main() -> None:
    """Compare, print a line for each case, and write figures and chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES, help="experiment files")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 on; two at least")
    parser.add_argument("--timesteps", type=int, help="of each run; without it, RL Zoo's")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plot", type=Path, help="draw the learning curves into this file")
    parser.add_argument("--run", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options.run, options.cases[0], options.seed, options.timesteps)))
        return
    if options.seeds < 2:
        parser.error(f"--seeds: expected 2 or more, found {options.seeds}: one run has no interval")
    comparisons = [compare(case, range(options.seeds), options.timesteps) for case in options.cases]
    for each in comparisons:
        ratios, cpu_ratio = each.ratios(), statistics.median(each.cpu_ratios())
        print(
            f"{each.case}: {each.within():.0%} of the curve within the 95% interval of plain Stable-Baselines3, "
            f"wall time {statistics.median(ratios):.3f} times ({min(ratios):.3f} to {max(ratios):.3f}; "
            f"to be reached: {REACH}), processor time {cpu_ratio:.3f} times"
        )
    if options.json:
        options.json.write_text(json.dumps([each.figures() for each in comparisons], indent=1) + "\n")
    if options.plot:
        draw(comparisons, options.plot)


if __name__ == "__main__":
    main()
