"""Kill trainings at random moments, resume them, and compare them with undisturbed ones, bit for bit.

Example: python tools/kill_and_resume.py --runs 100 --seed 0 --json kills.json

Each configuration of kill_and_resume.yaml is trained undisturbed once. Every run is then trained again, killed by
SIGKILL with its whole process group one to three times, and resumed to its end. Parameters, optimiser states, counters,
replay buffers, random generators, evaluations, episodes and progress.csv, times aside, must be equal. The exit code is
1 when any part of a run differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from run_differences import differences

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.plurals import plural

CONFIGURATIONS: Final = Path(__file__).with_suffix(".yaml")
MAX_KILLS: Final = 3
MAX_ATTEMPTS: Final = 20
"""Attempts at killing a training before it ends."""
ANY_TIME_SHARE: Final = 0.25
"""Share of the kills at any time of a command, its start and end included; the others come while it learns."""
DEADLINE: Final = 600.0
"""Seconds for one command on a busy machine."""
PRELOADED: Final = [
    "rl_pipeline.cli",
    "rl_pipeline.run.train",
    "rl_pipeline.run.resuming",
    "hydra",
    "matplotlib.figure",
]
"""Imported once by the process from which the commands are forked."""
BIT_FLIPPING: Final = """
import gymnasium

ENTRY = "stable_baselines3.common.envs:BitFlippingEnv"
for name, continuous in (("BitFlipping-v0", False), ("BitFlippingContinuous-v0", True)):
    if name not in gymnasium.registry:
        gymnasium.register(name, ENTRY, kwargs={"n_bits": 3, "continuous": continuous, "max_steps": 6})
"""
"""The module of a goal environment, for hindsight."""


@dataclass
class Outcome:
    """A run that was killed and resumed.

    Attributes:
        configuration: name of its configuration.
        steps: for each kill, the environment steps of the state to resume from; 0: there was none.
        differences: names of all parts that differ from the undisturbed run.
    """

    configuration: str
    steps: list[int] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def configurations() -> dict[str, dict[str, Any]]:
    """Return the whole configurations by name."""
    document = yaml.safe_load(CONFIGURATIONS.read_text())
    made = {}
    for name, settings in document["configurations"].items():
        shared = {"algorithm": {"parameters": document["shared"].get(settings.pop("with", None), {})}}
        made[name] = _merged(_merged(document["common"], shared), settings)
    return made


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


class Command:
    """An `rl-pipeline` command in a process group of its own, which ends with the block."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self._log = folder / "commands.log"
        self._process = context.Process(target=_run, args=(list(words), str(folder), str(self._log)))
        self._process.start()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def ended(self, seconds: float) -> bool:
        """Wait for the end for so many seconds; returns whether it came. Raises `RuntimeError` if the command fails."""
        self._process.join(seconds)
        if (code := self._process.exitcode) is None:
            return False
        if code != 0:
            last = "".join(self._log.read_text().splitlines(keepends=True)[-8:])
            raise RuntimeError(f"a command ended with code {code}; the end of its log:\n{last}")
        return True

    def wait(self) -> None:
        """Wait for the end. Raises `RuntimeError` if the command fails or does not end in `DEADLINE`."""
        if not self.ended(DEADLINE):
            raise RuntimeError(f"no end after {DEADLINE:.0f} s")

    def kill(self) -> None:
        """Kill the whole process group."""
        pid = self._process.pid
        assert pid is not None
        if self._process.exitcode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            self._process.join(DEADLINE)


def _run(words: list[str], folder: str, log: str) -> None:
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in (1, 2):
        os.dup2(output, number)
    os.chdir(folder)
    sys.path.insert(0, folder)
    from rl_pipeline.cli import run

    sys.exit(run(words))


def experiment(folder: Path) -> ExperimentFolder | None:
    """Return the experiment that a command has begun in a folder; None before its configuration is written."""
    configs = list(folder.glob("experiments/*/*/*/config.yaml"))
    return ExperimentFolder(configs[0].parent) if configs else None


def prepared(folder: Path, settings: dict[str, Any]) -> Path:
    """Make a new folder to train in, in place of any that exists."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text(yaml.safe_dump(settings))
    (folder / "bit_flipping.py").write_text(BIT_FLIPPING)
    return folder


@dataclass(frozen=True)
class Reference:
    """An undisturbed run.

    Attributes:
        folder: its experiment.
        seconds: its duration.
        checkpoints: names of its checkpoints, the first one first.
        interval: mean seconds between two of them.
    """

    folder: ExperimentFolder
    seconds: float
    checkpoints: list[str]
    interval: float

    @classmethod
    def train(cls, folder: Path) -> Reference:
        """Train in a prepared folder."""
        began = time.monotonic()
        with Command(["train", "--config", "run.yaml"], folder) as command:
            command.wait()
        seconds = time.monotonic() - began
        found = experiment(folder)
        assert found is not None
        times = sorted((path.stat().st_mtime, path.name) for path in found.checkpoints.iterdir())
        interval = (times[-1][0] - times[0][0]) / max(1, len(times) - 1)
        return cls(found, seconds, [name for _, name in times], interval)


def train_killed(outcome: Outcome, folder: Path, settings: dict[str, Any], like: Reference, rng: random.Random) -> None:
    """Train with one to `MAX_KILLS` kills at random moments, and resume to the end."""
    for _ in range(MAX_ATTEMPTS):
        prepared(folder, settings)
        outcome.steps, wanted = [], rng.randint(1, MAX_KILLS)
        while not _finished(folder):
            with Command(_next_command(folder), folder) as command:
                if len(outcome.steps) == wanted:
                    command.wait()
                elif not _ends_before_moment(command, folder, like, rng):
                    command.kill()
                    outcome.steps.append(_resumable_steps(folder))
        if outcome.steps:
            return
    raise RuntimeError(f"{MAX_ATTEMPTS} trainings ended before they were killed")


def _ends_before_moment(command: Command, folder: Path, like: Reference, rng: random.Random) -> bool:
    """Wait for a random moment, of any time or after a random checkpoint to come. Returns whether the command ended."""
    begun = experiment(folder)
    left = [name for name in like.checkpoints if begun is None or not (begun.checkpoints / name).exists()]
    if not left or rng.random() < ANY_TIME_SHARE:
        return command.ended(rng.uniform(0.0, like.seconds))
    chosen, delay = rng.choice(left), rng.uniform(0.0, like.interval)
    while not any(folder.glob(f"experiments/*/*/*/checkpoints/{chosen}")):
        if command.ended(0.005):
            return True
    return command.ended(delay)


def _next_command(folder: Path) -> list[str]:
    """Return the command after a kill; one before the configuration was written leaves nothing to resume."""
    if (begun := experiment(folder)) is not None:
        return ["resume", str(begun.path)]
    shutil.rmtree(folder / "experiments", ignore_errors=True)
    return ["train", "--config", "run.yaml"]


def _finished(folder: Path) -> bool:
    begun = experiment(folder)
    if begun is None or not begun.metadata.is_file():
        return False
    return bool(json.loads(begun.metadata.read_text())["status"] == "done")


def _resumable_steps(folder: Path) -> int:
    begun = experiment(folder)
    states = [] if begun is None else begun.states.glob("state_*_steps.zip")
    return max((int(path.stem.split("_")[1]) for path in states), default=0)


def compare(
    name: str, settings: dict[str, Any], runs: int, rng: random.Random, folder: Path, keep: bool
) -> list[Outcome]:
    """Train a configuration undisturbed once and killed `runs` times; outcomes are printed as they come."""
    outcomes = [Outcome(name) for _ in range(runs)]
    try:
        reference = Reference.train(prepared(folder / name / "undisturbed", settings))
    except RuntimeError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        for outcome in outcomes:
            outcome.differences = [f"undisturbed: {error}"]
        return outcomes
    for number, outcome in enumerate(outcomes):
        disturbed = folder / name / f"killed_{number}"
        try:
            train_killed(outcome, disturbed, settings, reference, rng)
            found = experiment(disturbed)
            assert found is not None
            outcome.differences = differences(found, reference.folder)
        except RuntimeError as error:
            outcome.differences = [str(error)]
        count = len(outcome.differences)
        verdict = f"{count} {plural(count, 'difference')}" if count else "equal"
        print(f"{name} {number + 1}/{runs}: resumed at {outcome.steps}: {verdict}", file=sys.stderr, flush=True)
        if not keep or not outcome.differences:
            shutil.rmtree(disturbed)
    return outcomes


def print_table(outcomes: Sequence[Outcome]) -> None:
    """Print a line for each configuration, and the differences below."""
    names = list(dict.fromkeys(outcome.configuration for outcome in outcomes))
    width = max(map(len, names))
    print(f"{'configuration':<{width}}  runs  kills  equal")
    for name in names:
        own = [outcome for outcome in outcomes if outcome.configuration == name]
        equal = sum(not outcome.differences for outcome in own)
        print(f"{name:<{width}}  {len(own):>4}  {sum(len(outcome.steps) for outcome in own):>5}  {equal:>5}")
        for difference in dict.fromkeys(text for outcome in own for text in outcome.differences):
            print(f"{'':<{width}}    {difference}")
    equal = sum(not outcome.differences for outcome in outcomes)
    print(f"{'all':<{width}}  {len(outcomes):>4}  {sum(len(outcome.steps) for outcome in outcomes):>5}  {equal:>5}")


def main() -> int:
    """Compare all configurations and print the table. Returns the exit code."""
    known = configurations()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="runs to kill, spread over the configurations")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--only", nargs="+", choices=known, metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--json", type=Path, help="write every outcome to this file")
    parser.add_argument("--keep", type=Path, help="keep the folders of runs that differ, and the undisturbed, here")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error(f"--runs: expected 1 or more, found {options.runs}")
    names = list(options.only or known)[: options.runs]
    os.environ["OMP_NUM_THREADS"] = "1"  # networks this small are no faster with more
    rng, outcomes = random.Random(options.seed), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).absolute()
        for index, name in enumerate(names):
            runs = len(range(index, options.runs, len(names)))
            outcomes += compare(name, known[name], runs, rng, folder, bool(options.keep))
    print_table(outcomes)
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")
    return int(any(outcome.differences for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
