"""The `rl-pipeline` command: a list of verbs, each of which hands over to a module of `rl_pipeline.run`.

What a verb needs is imported inside it: `rl-pipeline --help` must not wait for PyTorch.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from rl_pipeline.run.selection import Selection

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="rl-pipeline",
    help="Train, watch and judge reinforcement-learning agents on parallel robot simulators.",
    epilog="Start with: rl-pipeline train --config-name navigation_ppo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigName = Annotated[str | None, typer.Option("--config-name", "-cn", help="An experiment file of configs/.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Any YAML file, in place of --config-name.")]
ConfigDir = Annotated[Path | None, typer.Option("--config-dir", help="Folder of experiment files and groups.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Settings such as training.seed=1 or algorithm=sac.")]
Experiment = Annotated[str | None, typer.Option(help="An experiment's folder or name; without it, the newest.")]
Model = Annotated[str | None, typer.Option(help="best_model, model, a checkpoint's name, or any model file.")]
Agent = Annotated[str, typer.Option(help="trained, random or zero.")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the first episode.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and more of the log.")] = False,
) -> None:
    _log_to_terminal(debug)


@app.command(epilog="Example: rl-pipeline train --config-name navigation_ppo training.total_timesteps=100000")
def train(
    overrides: Overrides = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
    cfg: Annotated[str | None, typer.Option("--cfg", help="job: print the whole configuration and exit.")] = None,
) -> None:
    """Train an agent; model, videos and curves go to a new folder under experiments/."""
    if cfg is not None:
        _print_config(cfg, config_name, config, config_dir, overrides or [])
        return
    from rl_pipeline.run.train import train as run

    code = run(
        config_name=config_name, config_file=config, config_dir=config_dir, overrides=overrides or [],
        console=_console(), progress=_console(stderr=True),
    )  # fmt: skip
    raise typer.Exit(code)


@app.command(epilog="Example: rl-pipeline play --experiment navigation_ppo --episodes 3 --video agent.mp4")
def play(
    overrides: Overrides = None,
    experiment: Experiment = None,
    model: Model = None,
    agent: Agent = "trained",
    episodes: Annotated[int, typer.Option(min=1, help="Episodes, one after another.")] = 3,
    seed: Seed = None,
    video: Annotated[Path | None, typer.Option(help="Where the video goes.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the simulator's window instead.")] = False,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Watch an agent: a video of whole episodes, or live."""
    from rl_pipeline.run.play import play as run

    selection = _select(overrides or [], config_name, config, config_dir, experiment, model, agent)
    run(selection, episodes=episodes, seed=seed, video=video, show=show, console=_console())


@app.command(epilog="Example: rl-pipeline evaluate --agent random --episodes 100 --json random.json")
def evaluate(
    overrides: Overrides = None,
    experiment: Experiment = None,
    model: Model = None,
    agent: Agent = "trained",
    episodes: Annotated[int | None, typer.Option(min=1, help="Episodes in all.")] = None,
    seed: Seed = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too; - prints them.")] = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Judge an agent: mean and spread of the return, 95% intervals, success rate."""
    from rl_pipeline.run.evaluate import evaluate as run

    selection = _select(overrides or [], config_name, config, config_dir, experiment, model, agent)
    run(selection, episodes=episodes, seed=seed, json_file=json, console=_console())


@app.command(epilog="Example: rl-pipeline check rl_pipeline/Navigation-v0")
def check(
    env_id: Annotated[str, typer.Argument(help="A registered environment.")],
    overrides: Overrides = None,
) -> None:
    """Check an environment against Gymnasium's, Stable-Baselines3's and the protocol's rules."""
    from rl_pipeline.run.check import check as run

    if not run(env_id, overrides or [], _console()):
        raise typer.Exit(FAILED)


@app.command(epilog="Example: rl-pipeline benchmark transport")
def benchmark(
    what: Annotated[str, typer.Argument(help="transport, connector, worlds or soak")],
    players: Annotated[int | None, typer.Option(min=1, help="Players in the batch.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of each measurement.")] = 1.0,
    repetitions: Annotated[int, typer.Option(min=1, help="Measurements of each case.")] = 3,
    minutes: Annotated[float, typer.Option(min=0.01, help="Length of the soak: training among faults.")] = 1.0,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too.")] = None,
) -> None:
    """Measure this machine: environment steps per second, as ratios to what else steps the same players."""
    from rl_pipeline.run.benchmark import benchmark as run

    run(
        what, _console(), players=players, seconds=seconds, repetitions=repetitions, minutes=minutes, json_file=json
    )  # fmt: skip


@app.command(epilog="Example: rl-pipeline doctor")
def doctor() -> None:
    """Say what this machine can do, and what to install for more."""
    from rl_pipeline.run.doctor import doctor as run

    run(_console())


def _select(
    overrides: list[str],
    config_name: str | None,
    config: Path | None,
    config_dir: Path | None,
    experiment: str | None,
    model: str | None,
    agent: str,
) -> Selection:
    """What is to act, and where, by the options that `play` and `evaluate` share."""
    from rl_pipeline.config import load_config
    from rl_pipeline.run.selection import select

    base = load_config(config_name, config_file=config, config_dir=config_dir, overrides=overrides)
    return select(base, experiment=experiment, model=model, agent=agent, overrides=overrides)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code; whatever goes wrong is said in one line on standard error."""
    debug = "--debug" in arguments
    # The flag may stand anywhere, as with every other option.
    arguments = ["--debug", *(argument for argument in arguments if argument != "--debug")] if debug else arguments
    signal.signal(signal.SIGTERM, _interrupt)
    threading.excepthook = _note_thread_failure
    return guarded(lambda: app(arguments, prog_name="rl-pipeline", standalone_mode=False), debug)


def guarded(act: Callable[[], object], debug: bool) -> int:
    """Run `act` and return its exit code; what goes wrong is said in one line, with `debug` below its trace."""
    try:
        code = act()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED, debug)
    except InputError as error:
        return _fail(f"error: {error}", BAD_INPUT, debug)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            return _refuse_command_line(error, int(error.exit_code))
        hint = "" if debug else " (run with --debug to see where)"
        return _fail(f"error: {type(error).__name__}: {error}{hint}", FAILED, debug)


def _refuse_command_line(error: Any, code: int) -> int:
    """Say what Typer has against the command line; without any argument that is the help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return code
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context is not None else ""
    return _fail(f"error: {error.format_message().rstrip('.')}{hint}", code, debug=False)


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(message + "\n")
    return code


def _note_thread_failure(failure: threading.ExceptHookArgs) -> None:
    """What ends a thread of a library is told where it is asked for a result; its trace is for `--debug`."""
    trace = (failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    logging.getLogger("rl_pipeline").debug("a thread failed", exc_info=trace)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _log_to_terminal(debug: bool) -> None:
    """What the package logs goes to standard error: bare lines, and warnings marked as such."""
    handler = _TerminalHandler()
    handler.setFormatter(_TerminalFormatter())
    package = logging.getLogger("rl_pipeline")
    package.handlers = [handler]
    package.setLevel(logging.DEBUG if debug else logging.INFO)


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # Looked up each time: while a progress bar is shown, its console stands in for standard error.
        sys.stderr.write(self.format(record) + "\n")


class _TerminalFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname.lower()}: {text}"


def _print_config(
    cfg: str, config_name: str | None, config: Path | None, config_dir: Path | None, overrides: list[str]
) -> None:
    from rl_pipeline.config import load_config, render_config

    if cfg != "job":
        raise InputError(f"--cfg: expected job, found {cfg!r}")
    loaded = load_config(config_name, config_file=config, config_dir=config_dir, overrides=overrides)
    typer.echo(render_config(loaded), nl=False)


if __name__ == "__main__":
    main()
