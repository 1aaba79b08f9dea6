"""From the layout of rl_games to this project's configuration; what has no counterpart is named, never passed over."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rl_pipeline.algorithms.hyperparameters import hyperparameter_names
from rl_pipeline.algorithms.registration import find_algorithm
from rl_pipeline.config import Config
from rl_pipeline.config.loading import config_of_settings
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.paths import expanded_folder
from rl_pipeline.rl_games.translation.environment import environment as environment_settings
from rl_pipeline.rl_games.translation.network import architecture
from rl_pipeline.rl_games.translation.ppo_sac import (
    PPO_IGNORED,
    PPO_NEUTRAL,
    REFUSED,
    SAC_IGNORED,
    SAC_NEUTRAL,
    check,
    number_of_actors,
    ppo_parameters,
    sac_parameters,
    total_timesteps,
)
from rl_pipeline.rl_games.translation.section_reader import ANY, Keys

TRAIN_DIR: Final = Path("runs")


@dataclass(frozen=True)
class RunSettings:
    """Settings that the project's own configuration has no place for.

    Attributes:
        name: of the networks under `nn/`.
        frames_per_epoch: environment steps, summed over the actors, between two updates.
        train_dir: where the folders of runs are.
        full_name: of the run's folder; None: environment, algorithm and time.
        score_to_win: mean return of the latest episodes that ends the training; None: none does.
        save_best_after: epochs before which it does not.
        games: episodes that `--play` plays.
        render: whether it opens a window.
        print_games: whether it prints a line a game.
        observer: name of the observer; None: the one that Runner was given, or else the default one.
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
        """Those of an experiment file of the project."""
        steps = config.algorithm.parameters.get("n_steps", 1)
        frames = (steps if isinstance(steps, int) else 1) * config.simulation.n_environments
        return cls(config.experiment.name, frames, games=config.evaluation.num_episodes)


RUN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "multi_gpu": (False,), "self_play": (False,), "self_play_config": (), "central_value_config": (),
    "use_action_masks": (False,), "population_based_training": (False,), "pbt_idx": ANY, "print_stats": ANY,
    "use_diagnostics": ANY, "vec_env": (), "env_info": (), "network_path": (), "log_path": (), "features": (),
    "stop_fn": (), "preproc_obs": (), "is_train": (True,), "mixed_precision": (False,), "torch_compile": (False,),
    "force_interval_writer": ANY, "defer_summaries_sec": ANY, "summaries_interval_sec_min": ANY,
    "summaries_interval_sec_max": ANY,
}  # fmt: skip
RUN_REFUSED: Final[Mapping[str, str]] = {
    "multi_gpu": "one process trains",
    "self_play": "for self-play use rl-pipeline train --config-name duel_self_play",
    "self_play_config": "for self-play use rl-pipeline train --config-name duel_self_play",
    "central_value_config": "actor and critic see the same observations; network.separate: True gives "
    "the critic layers of its own",
    "population_based_training": "one agent trains; for a search use rl-pipeline sweep",
    "features": "observers are given to Runner(observer), or named in algo_observer",
    "stop_fn": "score_to_win ends a run, or an observer that raises",
}
_SPEED: Final = "sets the speed alone, and this project sets its own"
RUN_IGNORED: Final[Mapping[str, str]] = {
    "mixed_precision": _SPEED,
    "torch_compile": _SPEED,
    "use_action_masks": "actions that are invalid have to be without effect",
}
TOP_IGNORED: Final[Mapping[str, str]] = {
    "torch_threads": _SPEED,
}
ENV_NEUTRAL: Final[Mapping[str, Container[Any]]] = {"clip_actions": ANY}
ENV_IGNORED: Final[Mapping[str, str]] = {
    "obs_groups": "the environment's own observation space counts",
    "concate_obs_groups": "the environment's own observation space counts",
}
PLAYER_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "use_vecenv": ANY, "n_game_life": (1,), "render_sleep": ANY, "evaluation": (False,), "update_checkpoint_freq": ANY,
    "dir_to_monitor": ANY, "env_config": (), "device_name": ANY, "num_actors": ANY, "balance_env_rewards": ANY,
}  # fmt: skip
PLAYER_IGNORED: Final[Mapping[str, str]] = {"n_game_life": "a game is played whole"}
NAMES: Final[Mapping[str, str]] = {
    "simulation.n_environments": "params.config.num_actors",
    "training.device": "params.config.device",
    "training.save_freq": "params.config.save_frequency",
    "training.seed": "params.seed",
    "training.total_timesteps": "params.config.max_epochs",
    "experiment.name": "params.config.full_experiment_name",
}
"""Settings of this project by the names that they have in the file."""


@dataclass(frozen=True)
class Translation:
    """An rl_games file as this project has it.

    Attributes:
        config: the whole configuration.
        run: what the runner itself does.
        left_out: the settings without a counterpart, one line for each reason.
    """

    config: Config
    run: RunSettings
    left_out: tuple[str, ...]


def translate(params: Mapping[str, Any], source: str, algorithm: str, sigma: float | None = None) -> Translation:
    """The configuration that `params` asks for.

    Args:
        params: what stands under `params` in the file.
        source: the file, as errors name it.
        algorithm: the registered algorithm that is to learn. One of off-policy kind takes the keys of rl_games' SAC,
            any other those of its PPO; those of its own, that PPO and SAC do not have, are read as they are.
        sigma: logarithm of the actions' standard deviation at the start; None: what the file says.

    Raises:
        InputError: a key is unknown or missing, or asks for what cannot be had here.
    """
    left_out: list[tuple[str, str]] = []
    top = Keys(source, "params", params, left_out)
    seed = top.whole("seed", 0)
    config, network = top.section("config"), top.section("network")
    entry = find_algorithm(algorithm)
    recurrent = entry.name == "ppo" and "rnn" in network
    if recurrent:
        entry = find_algorithm("recurrent_ppo")
    off_policy = _is_off_policy(entry.name)
    _check_model(top, off_policy)
    environment, frames_stacked = environment_settings(config, seed)
    parameters, frames = (sac_parameters if off_policy else ppo_parameters)(config)
    for name in hyperparameter_names(entry.load()):
        if name in config and name not in hyperparameter_names(find_algorithm("sac" if off_policy else "ppo").load()):
            parameters[name] = config.value(name)
    check(config, entry.load(), parameters, off_policy=off_policy)
    built = architecture(network, "soft_actor_critic" if off_policy else "actor_critic", sigma, recurrent=recurrent)
    if decay := config.number("weight_decay", 0.0):
        built.setdefault("policy_kwargs", {})["optimizer_kwargs"] = {"weight_decay": decay}
    player, run = _run(config, environment["id"], frames)
    modules = top.value("import_modules", None)
    settings = {
        **({"modules": modules} if modules else {}),
        "experiment": {"name": run.full_name or run.name},
        "environment": environment,
        "algorithm": {"name": entry.name, "parameters": parameters, "architecture": built},
        "training": _training(config, seed, frames),
        "wrappers": _wrappers(top.section("env"), config, frames_stacked, images="cnn" in network),
        "evaluation": player,
        "simulation": {"n_environments": number_of_actors(config)},
    }
    neutral, ignored = (SAC_NEUTRAL, SAC_IGNORED) if off_policy else (PPO_NEUTRAL, PPO_IGNORED)
    config.finish({**RUN_NEUTRAL, **neutral}, {**RUN_REFUSED, **REFUSED}, {**RUN_IGNORED, **ignored})
    top.value("algo", None)
    refused = {"load_checkpoint": "give the model with --checkpoint"}
    top.finish({"load_checkpoint": (False,), "load_path": ANY}, refused, TOP_IGNORED)
    try:
        return Translation(config_of_settings(settings, source), run, _by_reason(left_out))
    except InputError as error:
        message = str(error)
        for name, own in NAMES.items():
            message = message.replace(name, own)
        raise InputError(message) from None


def _by_reason(left_out: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """One line for each reason, with the settings that it holds for."""
    reasons: dict[str, list[str]] = {}
    for name, why in left_out:
        reasons.setdefault(why, []).append(name)
    return tuple(f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in reasons.items())


def _is_off_policy(algorithm: str) -> bool:
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

    return issubclass(find_algorithm(algorithm).load(), OffPolicyAlgorithm)


def _check_model(top: Keys, off_policy: bool) -> None:
    valid = (
        ("soft_actor_critic",)
        if off_policy
        else ("continuous_a2c_logstd", "discrete_a2c", "multi_discrete_a2c", "continuous_a2c_sde")
    )
    model = top.section("model")
    name = model.text("name", valid[0])
    if name not in valid:
        raise UnknownNameError("model", str(name), valid, where=model.where("name"))
    model.finish({}, {})


def _training(config: Keys, seed: int, frames: int) -> dict[str, Any]:
    device = config.text("device", config.text("device_name", "auto"))
    config.text("device_name", None)
    saved = config.whole("save_frequency", 0, least=0)
    return {
        "total_timesteps": total_timesteps(config, frames),
        "seed": seed,
        "device": device,
        "save_freq": saved * frames or None,
    }


def _wrappers(env: Keys, config: Keys, frames: int, *, images: bool) -> dict[str, Any]:
    """The settings of `wrappers`, in their order.

    Args:
        env: Isaac Lab's section `params.env`, for its wrapper of environments.
        config: the section `params.config`.
        frames: observations stacked.
        images: whether the network has convolutions.
    """
    wrappers: dict[str, Any] = {}
    bound = env.number("clip_observations", None)
    if bound is not None and math.isfinite(bound):
        wrappers["clip_observations"] = {"low": -bound, "high": bound}
    env.finish(ENV_NEUTRAL, {}, ENV_IGNORED)
    if frames > 1:
        wrappers["frame_stack"] = {"n_stack": frames}
    shaper = config.section("reward_shaper")
    scale, shift = shaper.number("scale_value", 1.0), shaper.number("shift_value", 0.0)
    if (scale, shift) != (1.0, 0.0):
        wrappers["scale_rewards"] = {"scale": scale, "shift": shift}
    low, high = shaper.number("min_val", None), shaper.number("max_val", None)
    if low is not None or high is not None:
        bounds = {"low": -1e9 if low is None else low, "high": 1e9 if high is None else high}
        wrappers["clip_rewards"] = bounds
    shaper.finish({"is_torch": (True, False), "log_val": (False,)}, {})
    inputs, values = config.flag("normalize_input", False), config.flag("normalize_value", False)
    if inputs and images:
        inputs = False
        config.leave("normalize_input", "pixels are divided by 255 in its place")
    if inputs or values:
        wrappers["normalize"] = {"observations": inputs, "rewards": values, "clip_observations": 5.0}
    return wrappers


def _train_dir(config: Keys) -> Path:
    try:
        return Path(expanded_folder(str(config.text("train_dir", str(TRAIN_DIR)))))
    except ValueError as error:
        raise InputError(f"{config.where('train_dir')}: {error}") from error


def _run(config: Keys, environment: str, frames: int) -> tuple[dict[str, Any], RunSettings]:
    player = config.section("player")
    run = RunSettings(
        name=str(config.text("name", environment)),
        frames_per_epoch=frames,
        train_dir=_train_dir(config),
        full_name=config.text("full_experiment_name", None),
        score_to_win=config.number("score_to_win", None),
        save_best_after=config.whole("save_best_after", 0, least=0),
        games=player.whole("games_num", RunSettings.games, least=1),
        render=player.flag("render", False),
        print_games=player.flag("print_stats", True),
        observer=config.text("algo_observer", RunSettings.observer),
    )
    # Its spellings in older files of rl_games.
    misspelt = player.flag("determenistic", player.flag("is_determenistic", True))
    deterministic = player.flag("deterministic", misspelt)
    player.finish(PLAYER_NEUTRAL, {}, PLAYER_IGNORED)
    return {"deterministic": deterministic}, run
