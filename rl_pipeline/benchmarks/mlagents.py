"""Rates of this package and of mlagents-envs with players that only answer: the mlagents benchmark.

Both sides get observations of one size and send the same actions: for one agent, and for 16 agents of one player
against 16 worlds of one player. An ML-Agents player computes rewards and ends of episodes in C#; here the task computes
them, and that time is included.
"""

from __future__ import annotations

import importlib
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from rl_pipeline.backends.mlagents import load_mlagents
from rl_pipeline.benchmarks.canned import Round, canned_simulation, canned_task, rate_of, step_batched
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread, times

NOTE: Final = (
    "Both get the same observations and actions, from one player that answers with canned bytes. Ours with decoding, "
    "observation, reward and ends of episodes. Median of the repetitions; the gain is pair by pair."
)
AGENTS: Final = 16
REACH: Final = 15.0
_BEHAVIOR: Final = "Navigation"
_TIMEOUT: Final = 30


@dataclass
class Case:
    """A number of agents in one player.

    Attributes:
        agents: agents of the ML-Agents player, worlds of this package's player.
        rates: agent steps per second of this package, one for each repetition.
        their_rates: those of mlagents-envs.
    """

    agents: int
    rates: list[float] = field(default_factory=list)
    their_rates: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Label of the case."""
        return "1 agent" if self.agents == 1 else f"{self.agents} agents, {self.agents} worlds in one player"

    @property
    def gains(self) -> list[float]:
        """Ratio of this package's rate to that of mlagents-envs, one for each repetition."""
        return [ours / theirs for ours, theirs in zip(self.rates, self.their_rates, strict=True)]

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        ours, theirs = statistics.median(self.rates), statistics.median(self.their_rates)
        gain = f"{times(self.rates, self.their_rates):.1f} times"
        return self.name, f"{ours:,.0f}", f"{theirs:,.0f}", gain, spread(self.gains), f"{REACH:.0f} times"


def measure_mlagents(*, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str) -> Figures:
    """Measure one agent, and 16 agents in one player, on both sides.

    Args:
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.

    Raises:
        InputError: mlagents-envs is not installed.
    """
    environment = load_mlagents()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        # Both sides of both cases are started first; those that are not measured wait.
        cases = [Case(1), Case(AGENTS)]
        named = [
            (
                case.name,
                (case, _ours(stack, directory, case.agents), _theirs(stack, directory, environment, case.agents)),
            )
            for case in cases
        ]
        for case, ours, theirs in interleave(named, repetitions, progress):
            case.their_rates.append(rate_of(theirs, case.agents, seconds))
            case.rates.append(rate_of(ours, case.agents, seconds))
    return Figures(
        "Agent steps per second",
        ("case", "ours", "mlagents-envs", "gain", "spread", "reach"),
        [case.row() for case in cases],
        NOTE,
        {"cases": [asdict(case) for case in cases]},
        [Bar(f"mlagents-envs, {case.name}", case.gains, REACH, TIMES) for case in cases],
    )


def _ours(stack: ExitStack, directory: Path, worlds: int) -> Round:
    """Return a step of one player with so many worlds."""
    own = directory / f"ours_{worlds}"
    own.mkdir()
    config, _ = canned_simulation(own, worlds=worlds)
    return step_batched(stack, config, own / "logs", 1, worlds=worlds)


def _theirs(stack: ExitStack, directory: Path, environment: ModuleType, agents: int) -> Round:
    """Return a step of one ML-Agents player with so many agents."""
    # mlagents-envs takes a port number; let the kernel choose a free one.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Start the player with its two messages, then the environment that waits for it.
    files = [directory / f"{name}_{agents}.bin" for name in ("introduction", "step")]
    for file, message in zip(files, _messages(environment, agents), strict=True):
        file.write_bytes(message)
    script = Path(__file__).parent / "peers" / "mlagents_player.py"
    player = subprocess.Popen([sys.executable, str(script), str(port), *map(str, files)], start_new_session=True)
    stack.callback(_end, player)
    env = environment.UnityEnvironment(None, base_port=port, timeout_wait=_TIMEOUT)
    stack.callback(env.close)
    env.reset()
    actions = environment.ActionTuple(np.ones((agents, 2), np.float32))

    def step() -> None:
        env.set_actions(_BEHAVIOR, actions)
        env.step()
        env.get_steps(_BEHAVIOR)

    return step


def _messages(environment: ModuleType, agents: int) -> tuple[bytes, bytes]:
    """Return the serialized messages of an ML-Agents player: its introduction, and the message of each step."""
    objects = {name: _generated(name) for name in ("unity_message", "agent_info", "observation")}
    # Introduction: version and capabilities.
    introduction = objects["unity_message"].UnityMessageProto()
    introduction.header.status = 200
    described = introduction.unity_output.rl_initialization_output
    described.communication_version = environment.UnityEnvironment.API_VERSION
    described.capabilities.baseRLCapabilities = True
    # Step: spaces, and an observation and a reward for each agent.
    message = objects["unity_message"].UnityMessageProto()
    message.header.status = 200
    brain = message.unity_output.rl_initialization_output.brain_parameters.add(brain_name=_BEHAVIOR)
    brain.action_spec.num_continuous_actions = 2
    (size,) = canned_task().observation_space.shape or ()
    for agent in range(agents):
        info = message.unity_output.rl_output.agentInfos[_BEHAVIOR].value.add(id=agent, reward=-0.01)
        observation = info.observations.add(shape=[size], compression_type=objects["observation"].NONE)
        observation.float_data.data.extend([0.5] * size)
    # A player sends its spaces with the first message only; further ones are ignored.
    return introduction.SerializeToString(), message.SerializeToString()


def _generated(name: str) -> Any:
    return importlib.import_module(f"mlagents_envs.communicator_objects.{name}_pb2")


def _end(player: subprocess.Popen[bytes]) -> None:
    player.terminate()
    player.wait(_TIMEOUT)
