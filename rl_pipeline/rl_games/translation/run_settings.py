"""Settings of a runner's file that the configuration of this project has no place for."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.paths import expanded_folder
from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader

TRAIN_DIR: Final = Path("runs")
# Keys of the section `player`, with the values that have no effect here.
PLAYER_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "use_vecenv": ANY,
    "n_game_life": (1,),
    "render_sleep": ANY,
    "evaluation": (False,),
    "update_checkpoint_freq": ANY,
    "dir_to_monitor": ANY,
    "env_config": (),
    "device_name": ANY,
    "num_actors": ANY,
    "balance_env_rewards": ANY,
}
PLAYER_IGNORED: Final[Mapping[str, str]] = {"n_game_life": "a game is played whole"}


@dataclass(frozen=True)
class RunSettings:
    """Settings of the runner itself.

    Attributes:
        name: name of the networks under `nn/`.
        frames_per_epoch: environment steps, summed over the actors, between two updates.
        train_dir: parent of the folders of runs.
        full_name: name of the run's folder; None: environment, algorithm and time.
        score_to_win: mean return of the latest episodes that ends the training; None: no return does.
        save_best_after: epochs before which `score_to_win` does not end it.
        games: episodes of `--play`.
        render: `--play` opens a window.
        print_games: `--play` prints a line for each game.
        observer: name of the observer; None: the one that Runner was given, else the default one.
    """

    name: str
    frames_per_epoch: int
    train_dir: Path = TRAIN_DIR
    full_name: str | None = None
    score_to_win: float | None = None
    save_best_after: int = 0
    games: int = 100
    render: bool = False
    print_games: bool = True
    observer: str | None = None

    @classmethod
    def of_experiment(cls, config: Config) -> RunSettings:
        """Return the settings for an experiment file of this project."""
        steps = config.algorithm.parameters.get("n_steps", 1)
        frames = (steps if isinstance(steps, int) else 1) * config.simulation.n_environments
        return cls(config.experiment.name, frames, games=config.evaluation.num_episodes)


def read_run_settings(
    config: SectionReader, player: SectionReader, environment: str, frames_per_epoch: int
) -> RunSettings:
    """Read the runner's own keys.

    Args:
        config: the section `params.config`.
        player: its section `player`.
        environment: id of the environment, which names networks without a name.
        frames_per_epoch: environment steps between two updates.

    Raises:
        InputError: a value is of the wrong kind, or `train_dir` cannot be a folder.
    """
    # Networks without a name are named for the environment.
    return RunSettings(
        name=str(config.text("name", environment)),
        frames_per_epoch=frames_per_epoch,
        train_dir=_read_train_dir(config),
        full_name=config.text("full_experiment_name", None),
        score_to_win=config.number("score_to_win", None),
        save_best_after=config.whole("save_best_after", 0, least=0),
        games=player.whole("games_num", RunSettings.games, least=1),
        render=player.flag("render", False),
        print_games=player.flag("print_stats", True),
        observer=config.text("algo_observer", RunSettings.observer),
    )


def read_deterministic(player: SectionReader) -> bool:
    """Read whether `--play` and evaluations take the most probable action, by any of its spellings in rl_games."""
    misspelt = player.flag("determenistic", player.flag("is_determenistic", True))
    return player.flag("deterministic", misspelt)


def _read_train_dir(config: SectionReader) -> Path:
    try:
        return Path(expanded_folder(str(config.text("train_dir", str(TRAIN_DIR)))))
    except ValueError as error:
        raise InputError(f"{config.where('train_dir')}: {error}") from error
