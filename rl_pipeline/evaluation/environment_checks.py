"""Checks of an environment against Gymnasium, Stable-Baselines3 and the wire protocol, made on a real one."""

from __future__ import annotations

import io
import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env as check_gymnasium_env
from PIL import Image
from stable_baselines3.common.env_checker import check_env as check_sb3_env

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.gymnasium_envs.construction import render_option
from rl_pipeline.envs.player_env import PlayerEnv
from rl_pipeline.envs.registration import check_environment_id, make_task, task_id
from rl_pipeline.envs.spaces import space_problem
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.task_checks import check_task, missing_abilities
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from rl_pipeline.interfaces import Batch, Service, load_interfaces
from rl_pipeline.plurals import plural
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tracebacks import describe_failure

SEED: Final = 7
"""Of the episodes played; the next seed is used too."""
STEPS: Final = 20
"""Of each episode."""


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check.

    Attributes:
        name: the requirement checked.
        problem: description of the fault; empty: none was found.
        left_out: reason for leaving the check out; empty: it was made.
    """

    name: str
    problem: str = ""
    left_out: str = ""

    @property
    def passed(self) -> bool:
        """True if no fault was found."""
        return not self.problem


def check_environment(config: Config) -> Iterator[CheckResult]:
    """Check an environment, yielding each result as soon as it is known.

    Args:
        config: the environment's id and options, the simulation, if it is a task on players, and the algorithm that
            is to learn in it.

    Raises:
        InputError: there is no such environment, or its player cannot be started.
    """
    # Any environment of Gymnasium.
    environment, simulation = config.environment, config.simulation
    env_id = check_environment_id(environment.id)
    if task_id(env_id) is None:
        mode = render_option(env_id, environment.render_mode)
        env = gymnasium.make(env_id, **mode, **environment.env_config or {})
        yield from _check_env(env.unwrapped, config)
        env.close()
        return
    # A task on players: start one, check the environment, then its services without the task in between.
    task = make_task(env_id, **environment.env_config or {})
    check_task(task)
    with (
        tempfile.TemporaryDirectory(prefix="rl_pipeline_check_") as directory,
        Simulation(simulation, task.scene, Path(directory)) as players,
    ):
        env = PlayerEnv(task, simulation=players, render_mode="rgb_array", horizon=environment.horizon)
        if "seeds" in missing_abilities(task):
            env.spec = EnvSpec(env_id, nondeterministic=True)
        yield from _check_env(env, config)
        yield from _ProtocolChecks(task, players).run()


def _check_env(env: gymnasium.Env[Any, Any], config: Config) -> Iterator[CheckResult]:
    """Check spaces, that the algorithm can be built for them, and the checkers of both libraries."""
    problem = space_problem(env.observation_space, env.action_space) or ""
    yield CheckResult("algorithms take its spaces", problem)
    if not problem:
        spaces = env.observation_space, env.action_space
        yield _attempt(
            f"an agent can be built ({config.algorithm.name})", lambda: bool(build_for_spaces(config, *spaces))
        )
    options = {"skip_render_check": True, "skip_close_check": True}
    yield _attempt("Gymnasium's checker", lambda: check_gymnasium_env(env, **options))
    yield _attempt("Stable-Baselines3's checker", lambda: check_sb3_env(env, warn=False, skip_render_check=True))


def _attempt(name: str, check: Callable[[], object]) -> CheckResult:
    """Run one check. It fails by an exception of any kind, or by returning a text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = check()
    except (AssertionError, InputError) as error:
        return CheckResult(name, " ".join(str(error).split()) or type(error).__name__)
    except Exception as error:
        return CheckResult(name, " ".join(describe_failure(error).split()))
    return CheckResult(name, problem if isinstance(problem, str) else "")


class _ProtocolChecks:
    """Checks that call a real player's services by name, without a task in between."""

    def __init__(self, task: Task, simulation: Simulation) -> None:
        interfaces = load_interfaces()
        self._task = task
        self._simulation = simulation
        self._services: dict[str, Service] = {
            "reset": interfaces.service(task.reset_service),
            "step": interfaces.service(task.step_service),
        }
        self._missing = missing_abilities(task)
        self._player = 0

    def run(self) -> Iterator[CheckResult]:
        """Make all checks, each after those that it depends on."""
        # A check of an ability is left out where the services lack its fields.
        yield _attempt("services have the types of the task", self._types)
        yield self._with("seeds", "same seed and actions give the same states", self._determinism)
        yield self._with("seeds", "other seeds give other episodes", self._seeds)
        yield self._with("simulated_time", "simulated time advances", self._times)
        yield self._with("stamps", "time stamps are in order", self._stamps)
        yield _attempt("states are finite numbers", self._finite)
        yield self._with("frames", "a frame comes when it is asked for, and only then", self._frames)

    def _with(self, ability: str, name: str, check: Callable[[], object]) -> CheckResult:
        """Make a check of an ability, unless the services lack the fields for it."""
        if ability in self._missing:
            return CheckResult(name, left_out=self._missing[ability])
        return _attempt(name, check)

    def _types(self) -> str:
        for kind, service in self._services.items():
            name = self._simulation.service_name(self._player, kind)
            found = self._simulation.endpoint.type_of(name)
            if found != service.name:
                return f"{name} is offered as {found}, expected {service.name}"
        return ""

    def _determinism(self) -> str:
        first, second = (_numbers(self._episode(SEED)[-1]["state"]) for _ in range(2))
        differing = int((first != second).sum())
        verb = "differs" if differing == 1 else "differ"
        numbers = plural(first.size, "number")
        return f"{differing} of {first.size} {numbers} {verb} after {STEPS} steps" if differing else ""

    def _seeds(self) -> str:
        first, second = (_numbers(self._episode(seed, steps=0)[0]["state"]) for seed in (SEED, SEED + 1))
        return "" if first.shape != second.shape or (first != second).any() else f"seeds {SEED}, {SEED + 1} are alike"

    def _times(self) -> str:
        times = [response["simulated_time"] for response in self._episode(SEED) if "simulated_time" in response]
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            return f"simulated_time does not advance with each step: {times[:4]}"
        return ""

    def _stamps(self) -> str:
        last = self._episode(SEED)[-1]
        received, sent = (_seconds(last[name]) for name in ("request_received", "response_sent"))
        return "" if 0 < received <= sent else f"request_received {received}, response_sent {sent}"

    def _finite(self) -> str:
        for index, response in enumerate(self._episode(SEED)):
            if not np.isfinite(_numbers(response["state"])).all():
                return f"NaN or infinity in the state after {index} {plural(index, 'step')}"
        return ""

    def _frames(self) -> str:
        if size := len(self._call("step")["image"]["data"]):
            return f"an image of {size} {plural(size, 'byte')} that was not requested"
        # A frame that was requested must be an image that can be decoded.
        image = self._call("step", render=True)["image"]
        if not len(image["data"]):
            return "no image"
        Image.open(io.BytesIO(bytes(image["data"]))).load()
        return ""

    def _episode(self, seed: int, steps: int = STEPS) -> list[dict[str, Any]]:
        """Return the responses of a reset and of steps with actions drawn from the action space."""
        self._task.action_space.seed(seed)
        seeds = {} if "seeds" in self._missing else {"seed": seed}
        responses = [self._call("reset", **seeds, **self._task.reset_request(1))]
        for _ in range(steps):
            action = np.asarray(self._task.action_space.sample())[None]
            responses.append(self._call("step", **self._task.request(action)))
        return responses

    def _call(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Call the reset or step service of the player, and return the decoded response."""
        request: Batch = self._services[kind].request.layout().empty(1)
        for name, value in fields.items():
            request[name] = value
        name = self._simulation.service_name(self._player, kind)
        payload = self._simulation.endpoint.call(name, request.bytes(0), self._simulation.config.unity.step_timeout)
        response: dict[str, Any] = self._services[kind].response.decode(payload)
        return response


def _numbers(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return all numbers of decoded values as a flat array."""
    if isinstance(values, dict):
        return np.concatenate([_numbers(value) for value in values.values()] or [np.zeros(0)])
    if isinstance(values, str):
        return np.zeros(0)
    return np.atleast_1d(np.asarray(values, np.float64)).ravel()


def _seconds(stamp: dict[str, int]) -> float:
    return stamp["sec"] + stamp["nanosec"] * 1e-9
