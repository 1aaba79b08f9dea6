"""The `rl-pipeline` command: its own verbs by name, and the options before a verb.

`--help` imports no verb of this project, and a command line only the one that it names.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from rl_pipeline.cli.console import log_to_terminal
from rl_pipeline.cli.registration import VERBS, register_added_verbs, register_verb
from rl_pipeline.version import __version__

BUILT_IN: Final[dict[str, dict[str, str]]] = {
    "Train": {
        "train": "Train an agent; model, videos and curves go to a new folder under experiments/.",
        "resume": "Continue a run that ended, was interrupted or was killed, from its last checkpoint.",
        "runner": "Train or play by a file of rl_games' layout; runs/ has the networks and summaries.",
        "sweep": "Search for good hyperparameters: many trials; those without prospects end early.",
    },
    "Watch and judge": {
        "play": "Watch an agent: a video of whole episodes, or live.",
        "evaluate": "Evaluate one or more agents: mean and spread of the return, 95% intervals, success rate.",
        "export": "Write a trained policy as a file for other programs, checked against the model.",
        "plot": "Draw the learning curves of experiments; repetitions with other seeds become a mean with a band.",
        "runs": "List, compare and remove experiments.",
    },
    "Connect": {
        "simulate": "Start the players of config.yml for a trainer that waits for them (unity.launch=false).",
        "endpoint": "Serve players without training; with --ros2 in place of Unity's ros_tcp_endpoint.",
        "deploy": "Run a trained policy as a ROS 2 node on a robot or a simulation; it waits until it is enabled.",
    },
    "Look into": {
        "check": "Check an environment against the rules of Gymnasium, Stable-Baselines3 and the protocol.",
        "monitor": "Watch where the time of a training's steps goes: players, link, policy.",
        "doctor": "Show the capabilities of this machine, and the packages that would add more.",
        "benchmark": "Measure this machine: environment steps per second, as ratios to other ways to step players.",
    },
}
"""Help of this project's verbs by panel and name, in the order of `--help`: first paragraphs of their docstrings."""
GROUPS: Final = ("runs",)
"""Verbs with verbs below them: their module has a `typer.Typer` named `app`."""


class VerbGroup(TyperGroup):
    """The group of all verbs, imported one by one when they are run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all verbs, those of users included."""
        register_added_verbs()
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the name and help of a verb; None for an unknown one."""
        return VERBS[cmd_name].listed() if cmd_name in VERBS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return name, command and arguments of the verb that the command line begins with."""
        # Packages and modules of users are looked at only for a verb that is not of this project.
        name, *rest = args
        if name not in VERBS:
            register_added_verbs()
        if name in VERBS:
            return name, VERBS[name].command(), rest
        # Typer offers the nearest of these names.
        self.commands = {verb: VERBS[verb].listed() for verb in VERBS}
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="rl-pipeline",
    cls=VerbGroup,
    help="Train, watch and evaluate reinforcement-learning agents on parallel robot simulators.",
    epilog="Start with: rl-pipeline train --config-name navigation_ppo",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"rl-pipeline {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and more of the log.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    log_to_terminal(debug)


def _register_built_in() -> None:
    for panel, verbs in BUILT_IN.items():
        for name, help in verbs.items():
            function = "app" if name in GROUPS else name
            register_verb(name, f"rl_pipeline.cli.{name}:{function}", help=help, panel=panel)


_register_built_in()
