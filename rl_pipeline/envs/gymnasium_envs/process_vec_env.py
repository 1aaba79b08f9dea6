"""Gymnasium environments in worker processes, each of which steps a share of them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import CloudpickleWrapper, VecEnvObs, VecEnvStepReturn

from rl_pipeline.envs.gymnasium_envs.gymnasium_vec_env import MakeEnv
from rl_pipeline.envs.gymnasium_envs.process_worker import Failure, Preparation, serve
from rl_pipeline.errors import InputError

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that a worker may take to close its environments before it is killed."""


class RemoteError(Exception):
    """The traceback of an exception in a worker, as the cause of the one that is raised here."""


class ProcessVecEnv(VecEnv):
    """N environments in several processes, each with a contiguous block of about the same size.

    Seeds, order and results are those of one `DummyVecEnv` with all of them. The processes end with this object, and
    with the trainer, however that ends.

    Args:
        env_fns: make the environments, each in a `Monitor`; pickled by cloudpickle.
        make_error: makes the error for an environment that returns a wrong value.
        processes: workers, at least 1; no more are started than there are environments.
        modules: imported by each worker first.

    Raises:
        InputError: an environment returns a wrong value.
        RuntimeError: an environment raises an exception, or a worker has died.
    """

    def __init__(
        self,
        env_fns: Sequence[MakeEnv],
        make_error: Callable[[str], InputError],
        processes: int,
        modules: Sequence[str] = (),
    ) -> None:
        self._make_error = make_error
        # Each worker has a block of the environments.
        blocks = np.array_split(np.arange(len(env_fns)), min(processes, len(env_fns)))
        self._slices = [slice(int(block[0]), int(block[-1]) + 1) for block in blocks]
        preparation = Preparation(modules, dict(os.environ))
        self._workers: list[tuple[BaseProcess, Connection]] = []
        # All of them start before the first has made its environments.
        try:
            for block in self._slices:
                self._workers.append(_start(preparation, pickle.dumps(CloudpickleWrapper(env_fns[block]))))
            observation_space, action_space = self._answers()[0]
            super().__init__(len(env_fns), observation_space, action_space)
        except BaseException:
            self.close()
            raise

    def reset(self) -> VecEnvObs:
        """Begin an episode in every environment, at the seeds of the last call of `seed`."""
        parts = self._all("begin", lambda block: (self._seeds[block], self._options[block]))
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [info for _, infos in parts for info in infos]
        joined: VecEnvObs = _join_observations([observations for observations, _ in parts])
        return joined

    def step_async(self, actions: NDArray[Any]) -> None:
        """Begin a step in every environment."""
        for worker, block in enumerate(self._slices):
            self._send(worker, "advance", actions[block])

    def step_wait(self) -> VecEnvStepReturn:
        """Wait for the step that `step_async` began."""
        observations, rewards, dones, infos, reset_infos = zip(*self._answers(), strict=True)
        self.reset_infos = [info for part in reset_infos for info in part]
        return (
            _join_observations(observations),
            np.concatenate(rewards),
            np.concatenate(dones),
            [info for part in infos for info in part],
        )

    def close(self) -> None:
        """Close the environments and end the workers; safe to call twice."""
        for _, connection in self._workers:
            connection.close()
        for process, _ in self._workers:
            process.join(CLOSE_TIMEOUT)
            if process.is_alive():
                _kill(process)
        self._workers.clear()

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Return an attribute of each of these environments."""
        return self._each("get_attr", indices, attr_name)

    def has_attr(self, attr_name: str) -> bool:
        """Return True if every environment has the attribute."""
        return all(self._all("has_attr", lambda _: (attr_name,)))

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Set an attribute of each of these environments."""
        for worker, asked in self._asked(indices):
            self._call(worker, "set_attr", attr_name, value, list(asked))

    def env_method(
        self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any
    ) -> list[Any]:
        """Call a method of each of these environments."""
        return self._each("env_method", indices, method_name, *args, **kwargs)

    def env_is_wrapped(self, wrapper_class: type[Any], indices: int | Iterable[int] | None = None) -> list[bool]:
        """Return True for each of these environments that is in a wrapper of this class."""
        return self._each("env_is_wrapped", indices, wrapper_class)

    def get_images(self) -> list[NDArray[np.uint8] | None]:
        """Return a frame of each environment."""
        return [image for part in self._all("get_images", lambda _: ()) for image in part]

    def _each(self, name: str, indices: int | Iterable[int] | None, *arguments: Any, **keywords: Any) -> list[Any]:
        """Call a method that takes `indices`; returns the results in the order of the environments."""
        found: dict[int, Any] = {}
        for worker, asked in self._asked(indices):
            results = self._call(worker, name, *arguments, indices=list(asked), **keywords)
            found |= {asked[index]: result for index, result in zip(asked, results, strict=True)}
        return [found[index % self.num_envs] for index in self._get_indices(indices)]

    def _asked(self, indices: int | Iterable[int] | None) -> Iterator[tuple[int, dict[int, int]]]:
        """Yield each worker with environments among the indices, and their indices by the index in its share."""
        wanted = sorted({index % self.num_envs for index in self._get_indices(indices)})
        for worker, block in enumerate(self._slices):
            asked = {index - block.start: index for index in wanted if block.start <= index < block.stop}
            if asked:
                yield worker, asked

    def _all(self, name: str, arguments: Callable[[slice], tuple[Any, ...]]) -> list[Any]:
        """Call a method of all workers at once, with arguments that depend on the environments of each."""
        for worker, block in enumerate(self._slices):
            self._send(worker, name, *arguments(block))
        return self._answers()

    def _call(self, worker: int, name: str, *arguments: Any, **keywords: Any) -> Any:
        self._send(worker, name, *arguments, **keywords)
        return self._answer(worker)

    def _send(self, worker: int, name: str, *arguments: Any, **keywords: Any) -> None:
        try:
            self._workers[worker][1].send((name, arguments, keywords))
        except OSError as error:
            raise self._death(worker) from error

    def _answers(self) -> list[Any]:
        """Return the answer of each worker; an error is raised when all have answered."""
        answers, errors = [], []
        for worker in range(len(self._workers)):
            try:
                answers.append(self._answer(worker))
            except (InputError, RuntimeError) as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return answers

    def _answer(self, worker: int) -> Any:
        try:
            result, failure = self._workers[worker][1].recv()
        except (EOFError, OSError) as error:
            raise self._death(worker) from error
        if failure is not None:
            raise self._error(failure) from RemoteError(f"\n{failure.trace}")
        return result

    def _error(self, failure: Failure) -> Exception:
        return self._make_error(failure.message) if failure.is_fault else RuntimeError(failure.message)

    def _death(self, worker: int) -> RuntimeError:
        process, block = self._workers[worker][0], self._slices[worker]
        process.join(CLOSE_TIMEOUT)
        code = process.exitcode
        ended = f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exited with {code}"
        return RuntimeError(f"the process of environments {block.start} to {block.stop - 1} {ended}")


def _start(preparation: Preparation, env_fns: bytes) -> tuple[BaseProcess, Connection]:
    """Start a worker, on Unix from a fork server that has imported PyTorch already."""
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload([serve.__module__])
    connection, other = context.Pipe()
    process = context.Process(target=serve, args=(other, preparation, env_fns), daemon=True)
    process.start()
    other.close()
    return process, connection


def _kill(process: BaseProcess) -> None:
    """Kill a worker and the processes of its environments: it leads a process group of its own."""
    assert process.pid is not None
    if hasattr(os, "killpg"):
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _join_observations(parts: Sequence[Any]) -> Any:
    """Join the observations of all workers to one batch."""
    if isinstance(parts[0], dict):
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return np.concatenate(parts)
