"""Worker process of `ProcessVecEnv`: steps its share of the environments, one after the other."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from rl_pipeline.envs.gymnasium_envs.gymnasium_vec_env import GymnasiumVecEnv, MakeEnv
from rl_pipeline.errors import InputError
from rl_pipeline.plugins import import_user_module
from rl_pipeline.tracebacks import describe_failure


@dataclass(frozen=True)
class Preparation:
    """Preparation of a new process that is to make environments.

    Attributes:
        modules: imported first, since they register environments; by name, or files by their path.
        variables: of the process's environment.
    """

    modules: Sequence[str]
    variables: Mapping[str, str] = field(repr=False)

    def run(self) -> None:
        """Prepare this process."""
        os.environ.update(self.variables)
        for module in self.modules:
            import_user_module(module, "modules")


@dataclass(frozen=True)
class Failure:
    """An exception in a worker.

    Attributes:
        message: in one line, with the line of the user's code.
        trace: the traceback as text.
        is_fault: True if an environment returned a wrong value.
    """

    message: str
    trace: str
    is_fault: bool


def serve(connection: Connection, preparation: Preparation, env_fns: bytes) -> None:
    """Make the environments, then carry out commands until the trainer closes the connection or is gone.

    A command is the name of a method of the vector environment with its arguments; each is answered by `(result, None)`
    or `(None, Failure)`.

    Args:
        connection: to the trainer.
        preparation: of this process.
        env_fns: make the environments, a pickled `CloudpickleWrapper`; they may need the modules of the preparation.
    """
    # The preparation comes first: unpickling may need its modules.
    _leave_terminal()
    threading.Thread(target=_end_with_trainer, daemon=True).start()
    try:
        preparation.run()
        venv = Share(pickle.loads(env_fns).var)
    except Exception as error:
        connection.send((None, _failure(error)))
        return
    connection.send(((venv.observation_space, venv.action_space), None))
    # The connection breaks when the trainer closes it, in the middle of an answer too.
    with suppress(EOFError, OSError):
        while True:
            connection.send(_answer(venv, *connection.recv()))
    venv.close()


def _answer(venv: Share, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Failure | None]:
    try:
        return getattr(venv, name)(*arguments, **keywords), None
    except Exception as error:
        return None, _failure(error)


class Share(GymnasiumVecEnv):
    """Environments of one worker, with the commands that are more than a call of a method.

    Args:
        env_fns: make the environments.
    """

    def __init__(self, env_fns: Sequence[MakeEnv]) -> None:
        super().__init__(env_fns, make_error=InputError)

    def begin(self, seeds: list[int | None], options: list[dict[str, Any]]) -> tuple[Any, list[dict[str, Any]]]:
        """Reset every environment with its seed and options."""
        self._seeds, self._options = seeds, options
        return self.reset(), self.reset_infos

    def advance(self, actions: Any) -> tuple[Any, ...]:
        """Step every environment; the infos of those that were reset thereby come last."""
        return (*self.step(actions), self.reset_infos)


def _leave_terminal() -> None:
    """Leave Ctrl-C and the end of the terminal to the trainer, which closes its workers once everything is saved."""
    if hasattr(os, "setsid"):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with_trainer() -> None:
    """Kill this process and its children when the trainer is gone, even in the middle of a step."""
    trainer = parent_process()
    assert trainer is not None, "a worker is started by the trainer"
    wait([trainer.sentinel])
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _failure(error: Exception) -> Failure:
    is_fault = isinstance(error, InputError)
    message = str(error) if is_fault else describe_failure(error)
    return Failure(message, traceback.format_exc(), is_fault)
