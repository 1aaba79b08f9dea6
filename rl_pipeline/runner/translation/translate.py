"""From the layout of rl_games to this project's configuration; what has no counterpart is named, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rl_pipeline.algorithms.hyperparameters import hyperparameter_names
from rl_pipeline.algorithms.registry import find_algorithm
from rl_pipeline.config import Config
from rl_pipeline.config.loader import config_of_settings
from rl_pipeline.envs.env_configurations import configurations
from rl_pipeline.envs.registration import check_environment_id
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.paths import expanded_folder
from rl_pipeline.runner.translation.hyperparameters import (
    PPO_NEUTRAL,
    REFUSED,
    SAC_NEUTRAL,
    ppo_parameters,
    sac_parameters,
)
from rl_pipeline.runner.translation.keys import Keys
from rl_pipeline.runner.translation.network import architecture
from rl_pipeline.runner.translation.run_settings import TRAIN_DIR, RunSettings

GENERIC: Final = ("openai_gym", "gymnasium")
"""Names of environments that stand for the one that `env_config.name` has."""

RUN_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "multi_gpu": (False,), "self_play": (False,), "self_play_config": (), "central_value_config": (),
    "use_action_masks": (False,), "population_based_training": (False,), "mixed_precision": (False,),
    "print_stats": (True,), "use_diagnostics": (False,), "torch_threads": (), "torch_compile": (False,),
    "vec_env": (), "env_info": (), "network_path": (), "log_path": (), "features": (), "stop_fn": (),
    "preproc_obs": (), "is_train": (True,),
}  # fmt: skip
RUN_REFUSED: Final[Mapping[str, str]] = {
    "multi_gpu": "one process trains",
    "self_play": "for self-play use rl-pipeline train --config-name duel_self_play",
    "self_play_config": "for self-play use rl-pipeline train --config-name duel_self_play",
    "central_value_config": "actor and critic see the same observations",
    "use_action_masks": "leave actions that are invalid without effect",
    "population_based_training": "one agent trains",
    "features": "observers are given to Runner(observer), or named in algo_observer",
    "stop_fn": "score_to_win ends a run, or an observer that raises",
}
PLAYER_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "use_vecenv": (True, False), "n_game_life": (1,), "render_sleep": (), "evaluation": (False,),
    "update_checkpoint_freq": (), "dir_to_monitor": (), "env_config": (), "device_name": (),
}  # fmt: skip


@dataclass(frozen=True)
class Translation:
    """An rl_games file as this project has it.

    Attributes:
        config: the whole configuration.
        run: what the runner itself does.
        left_out: the settings without a counterpart, one line each.
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
    left_out: list[str] = []
    top = Keys(source, "params", params, left_out)
    seed = top.whole("seed", 0)
    config, network = top.section("config"), top.section("network")
    entry = find_algorithm(algorithm)
    off_policy = _is_off_policy(entry.name)
    _check_model(top, off_policy)
    parameters, frames = (sac_parameters if off_policy else ppo_parameters)(config)
    for name in hyperparameter_names(entry.load()):
        if name in config and name not in hyperparameter_names(find_algorithm("sac" if off_policy else "ppo").load()):
            parameters[name] = config.value(name)
    built = architecture(network, "soft_actor_critic" if off_policy else "actor_critic", sigma)
    if decay := config.number("weight_decay", 0.0):
        built.setdefault("policy_kwargs", {})["optimizer_kwargs"] = {"weight_decay": decay}
    environment = _environment(config, seed)
    player, run = _run(config, environment["id"], frames)
    modules = top.value("import_modules", None)
    settings = {
        **({"modules": modules} if modules else {}),
        "experiment": {"name": run.full_name or run.name},
        "environment": environment,
        "algorithm": {"name": entry.name, "parameters": parameters, "architecture": built},
        "training": _training(config, seed, frames),
        "wrappers": _wrappers(config),
        "evaluation": player,
        "simulation": {"n_environments": config.whole("num_actors", least=1)},
    }
    config.finish({**RUN_NEUTRAL, **(SAC_NEUTRAL if off_policy else PPO_NEUTRAL)}, {**RUN_REFUSED, **REFUSED})
    top.value("algo", None)
    refused = {"load_checkpoint": "give the model with --checkpoint"}
    top.finish({"load_checkpoint": (False,), "load_path": ("path",)}, refused)
    return Translation(config_of_settings(settings, source), run, tuple(left_out))


def _is_off_policy(algorithm: str) -> bool:
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

    return issubclass(find_algorithm(algorithm).load(), OffPolicyAlgorithm)


def _check_model(top: Keys, off_policy: bool) -> None:
    valid = ("soft_actor_critic",) if off_policy else ("continuous_a2c_logstd", "discrete_a2c", "multi_discrete_a2c")
    model = top.section("model")
    name = model.text("name", valid[0])
    if name not in valid:
        raise UnknownNameError("model", str(name), valid, where=model.where("name"))
    model.finish({}, {})


def _environment(config: Keys, seed: int) -> dict[str, Any]:
    name, where = config.text("env_name"), config.where("env_name")
    options = config.section("env_config")
    own_seed = options.whole("seed", seed)
    if own_seed != seed:
        raise InputError(f"{options.where('seed')}: expected params.seed ({seed}) or nothing, found {own_seed}")
    if name in GENERIC:
        name, where = options.text("name"), options.where("name")
    try:
        known = check_environment_id(name)
    except UnknownNameError as error:
        raise UnknownNameError("environment", name, error.valid, where) from None
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix('environment.id: ')}") from None
    # What a simulator of one's own draws, if anything, is not known before it is there.
    drawn = None if known in configurations else "rgb_array"
    arguments = options.rest(())
    return {"id": name, "env_config": arguments or None, "render_mode": drawn, "video_wrapper": False}


def _training(config: Keys, seed: int, frames: int) -> dict[str, Any]:
    epochs, most = config.whole("max_epochs", -1), config.whole("max_frames", -1)
    totals = [total for total in (epochs * frames, most) if total > 0]
    if not totals:
        raise InputError(f"{config.where('max_epochs')}: expected max_epochs or max_frames above 0, found neither")
    device = config.text("device", config.text("device_name", "auto"))
    config.text("device_name", None)
    saved = config.whole("save_frequency", 0, least=0)
    return {
        "total_timesteps": min(totals),
        "seed": seed,
        "device": device,
        "save_freq": saved * frames or None,
    }


def _wrappers(config: Keys) -> dict[str, Any]:
    wrappers: dict[str, Any] = {}
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
    deterministic = player.flag("deterministic", True)
    player.finish(PLAYER_NEUTRAL, {})
    return {"deterministic": deterministic}, run
