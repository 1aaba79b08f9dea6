"""Hops of four flows: functions and modules of the project that are entered on the way, counted with a profiler.

1. train: from the command line to the first step of the training environments;
2. step: one such step in the steady state;
3. lost player: the functions that a step enters besides, when a killed player is noticed and replaced;
4. resume: from the command line to the first step of a resumed run.

A tiny training on the embedded navigation player runs in a process of its own, so that other checkouts can be measured
too. Functions are counted once each, however often they are called, in the main thread only; comprehensions and bodies
of classes and modules are no functions.

python tools/flows.py                           # this checkout
python tools/flows.py --root ../other-checkout  # another version, to compare
python tools/flows.py --list                    # also print the functions of each flow
"""

from __future__ import annotations

import argparse
import gc
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

PACKAGE: Final = "rl_pipeline"
TRAIN: Final = "train"
STEP: Final = "step"
LOST: Final = "lost player"
RESUME: Final = "resume"
STEADY_STEP: Final = 20
"""Steps after which the next one without the end of an episode is taken for the steady state."""
TIMESTEPS: Final = 512
ENVIRONMENTS: Final = 4
TIMEOUT: Final = 300.0
"""Seconds that a training may take."""
SETTINGS: Final = (
    *("ros.tcp_port=0", "environment.video_wrapper=false", "environment.render_mode=null"),
    *("environment.horizon=40", "training.device=cpu", "training.eval.num_evals=0", "training.use_wandb=false"),
    *("algorithm.parameters.n_steps=64", "algorithm.parameters.batch_size=64", "evaluation.num_episodes=1"),
    *(f"simulation.n_environments={ENVIRONMENTS}", "experiment.name=flows"),
)

Function = tuple[str, str]
"""Module and qualified name."""


class FlowRecorder:
    """Records the functions of the project that each flow enters, while a command runs in this process.

    Args:
        root: checkout whose package is measured.
        start: name of the flow from the command line to the first step.

    Attributes:
        flows: functions entered, by flow.
    """

    def __init__(self, root: Path, start: str) -> None:
        self.flows: dict[str, set[Function]] = {}
        self._prefix = f"{root / PACKAGE}{os.sep}"
        self._start = start
        self._entered: set[CodeType] = set()
        self._steps = 0
        self._in_step = False
        self._recovery: set[Function] | None = None

    def run(self, arguments: list[str]) -> int:
        """Run a command of `rl-pipeline` and record its flows; returns its exit code."""
        from stable_baselines3.common.vec_env.base_vec_env import VecEnv

        from rl_pipeline import cli

        step = VecEnv.step

        def record_step(venv: VecEnv, actions: Any) -> Any:
            # A wrapper may step the environments inside it with this function again.
            if self._in_step:
                return step(venv, actions)
            self._begin_step()
            self._in_step = True
            result = step(venv, actions)
            self._in_step = False
            self._end_step(result[2], result[3])
            return result

        VecEnv.step = record_step  # type: ignore[method-assign]
        sys.setprofile(self._enter)
        try:
            return cli.run(arguments)
        finally:
            sys.setprofile(None)

    def _enter(self, frame: FrameType, event: str, argument: object) -> None:
        """Collect code that is entered; called by the interpreter at each call and return."""
        if event == "call":
            self._entered.add(frame.f_code)

    def _take(self) -> set[Function]:
        """Return the functions of the project entered since the last call of this method."""
        entered = self._entered
        self._entered = set()
        return {
            (code.co_filename.removeprefix(self._prefix), code.co_qualname)
            for code in entered
            # Bodies of modules and classes lack the flag; comprehensions have it.
            if code.co_filename.startswith(self._prefix)
            and code.co_flags & inspect.CO_OPTIMIZED
            and (code.co_name == "<lambda>" or not code.co_name.startswith("<"))
        }

    def _begin_step(self) -> None:
        """Store the functions up to the first step; discard those between two later ones."""
        functions = self._take()
        self.flows.setdefault(self._start, functions)

    def _end_step(self, dones: Any, infos: list[dict[str, Any]]) -> None:
        """Store the functions of a step in the steady state, or of those from the death of a player to its return."""
        self._steps += 1
        functions = self._take()
        if self._recovery is not None and LOST not in self.flows:
            # The step that reports the loss has reset the environment on a new player.
            self._recovery |= functions
            if any(info.get("player_lost") for info in infos):
                self.flows[LOST] = self._recovery - self.flows[STEP]
        elif self._steps >= STEADY_STEP and STEP not in self.flows and not any(dones):
            self.flows[STEP] = functions
            if self._start == TRAIN:
                kill_player()
                self._recovery = set()


def kill_player() -> None:
    """Kill the first player of the simulation of this process."""
    from rl_pipeline.simulation.simulation import Simulation

    (simulation,) = (found for found in gc.get_objects() if isinstance(found, Simulation) and found.processes)
    os.kill(simulation.processes[min(simulation.processes)].pid, signal.SIGKILL)


def record(root: Path, start: str, output: Path, arguments: list[str]) -> int:
    """Run a command in this process and write the functions of its flows to a JSON file; returns its exit code."""
    recorder = FlowRecorder(root, start)
    code = recorder.run(arguments)
    output.write_text(json.dumps({flow: sorted(functions) for flow, functions in recorder.flows.items()}))
    return code


def measure(root: Path) -> dict[str, list[Function]]:
    """Train and resume in processes of their own, and return the functions of each flow.

    Raises:
        RuntimeError: a command failed; the message has its output.
    """
    flows: dict[str, list[Function]] = {}
    with tempfile.TemporaryDirectory(prefix="rl_pipeline_flows_") as directory:
        place = [f"experiment.directory={directory}/experiments", *SETTINGS]
        commands = {
            TRAIN: ["train", *place, f"training.total_timesteps={TIMESTEPS}"],
            RESUME: ["resume", "flows", "--directory", "experiments", f"training.total_timesteps={2 * TIMESTEPS}"],
        }
        for start, arguments in commands.items():
            output = Path(directory) / f"{start}.json"
            # -P keeps this folder, whose scripts have names of their own, off the path of imports.
            done = subprocess.run(
                [sys.executable, "-P", __file__, "--root", root, "--record", start, output, *arguments],
                cwd=directory,
                env=os.environ | {"PYTHONPATH": str(root)},
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
            )
            if done.returncode:
                raise RuntimeError(f"rl-pipeline {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
            flows |= {flow: [tuple(pair) for pair in pairs] for flow, pairs in json.loads(output.read_text()).items()}
    return flows


def table(flows: dict[str, list[Function]]) -> str:
    """Return the number of functions and modules of each flow as a Markdown table."""
    rows = ["| flow | functions | modules |", "|---|---|---|"]
    for flow in (TRAIN, STEP, LOST, RESUME):
        functions = flows.get(flow, [])
        rows.append(f"| {flow} | {len(functions)} | {len({module for module, _ in functions})} |")
    return "\n".join(rows)


def main() -> None:
    """Parse the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="checkout to measure")
    parser.add_argument("--list", action="store_true", help="also print the functions of each flow")
    parser.add_argument("--record", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    if arguments.record:
        start, output, *words = arguments.record
        sys.exit(record(root, start, Path(output), words))
    flows = measure(root)
    if arguments.list:
        for flow, functions in flows.items():
            print(f"{flow}:", *(f"  {module}: {function}" for module, function in functions), sep="\n", end="\n\n")
    print(table(flows))


if __name__ == "__main__":
    main()
