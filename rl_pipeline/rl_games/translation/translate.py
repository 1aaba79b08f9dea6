"""Translation of a file of rl_games into this project's configuration; a setting without a counterpart is named."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.algorithms.hyperparameters import hyperparameter_names
from rl_pipeline.algorithms.registration import find_algorithm
from rl_pipeline.config import Config
from rl_pipeline.config.loading import config_of_settings
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games.translation.environment import read_environment
from rl_pipeline.rl_games.translation.network import read_architecture
from rl_pipeline.rl_games.translation.ppo_sac import (
    PPO_IGNORED,
    PPO_NEUTRAL,
    REFUSED,
    SAC_IGNORED,
    SAC_NEUTRAL,
    check_hyperparameters,
    read_number_of_actors,
    read_ppo,
    read_sac,
    read_total_timesteps,
)
from rl_pipeline.rl_games.translation.run_settings import (
    PLAYER_IGNORED,
    PLAYER_NEUTRAL,
    RunSettings,
    read_deterministic,
    read_run_settings,
)
from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader
from rl_pipeline.rl_games.translation.wrappers import read_wrappers

PPO_MODELS: Final = ("continuous_a2c_logstd", "discrete_a2c", "multi_discrete_a2c", "continuous_a2c_sde")
SAC_MODELS: Final = ("soft_actor_critic",)
# Keys of `params.config` that belong to no algorithm, with the values that have no effect here.
RUN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    # Kinds of training.
    "multi_gpu": (False,),
    "self_play": (False,),
    "self_play_config": (),
    "central_value_config": (),
    "use_action_masks": (False,),
    "population_based_training": (False,),
    "pbt_idx": ANY,
    # Output on the terminal.
    "print_stats": ANY,
    "use_diagnostics": ANY,
    # Objects that scripts put into the configuration.
    "vec_env": (),
    "env_info": (),
    "network_path": (),
    "log_path": (),
    "features": (),
    "stop_fn": (),
    "preproc_obs": (),
    "is_train": (True,),
    # Speed, and the period of summaries.
    "mixed_precision": (False,),
    "torch_compile": (False,),
    "force_interval_writer": ANY,
    "defer_summaries_sec": ANY,
    "summaries_interval_sec_min": ANY,
    "summaries_interval_sec_max": ANY,
}
# Advice for keys that are refused, then reasons for those that are left out.
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
_SPEED: Final = "sets the speed only, and this project sets its own"
RUN_IGNORED: Final[Mapping[str, str]] = {
    "mixed_precision": _SPEED,
    "torch_compile": _SPEED,
    "use_action_masks": "invalid actions must be without effect",
}
TOP_IGNORED: Final[Mapping[str, str]] = {
    "torch_threads": _SPEED,
}
NAMES: Final[Mapping[str, str]] = {
    "simulation.n_environments": "params.config.num_actors",
    "training.device": "params.config.device",
    "training.save_freq": "params.config.save_frequency",
    "training.seed": "params.seed",
    "training.total_timesteps": "params.config.max_epochs",
    "experiment.name": "params.config.full_experiment_name",
}
"""Names in the file of this project's settings, for error messages."""


@dataclass(frozen=True)
class Translation:
    """A file of rl_games in the terms of this project.

    Attributes:
        config: the whole configuration.
        run: settings of the runner itself.
        left_out: the settings without a counterpart, one line for each reason.
    """

    config: Config
    run: RunSettings
    left_out: tuple[str, ...]


def translate(params: Mapping[str, Any], source: str, algorithm: str, sigma: float | None = None) -> Translation:
    """Translate the section `params` of a file.

    Args:
        params: the section.
        source: the file, as errors name it.
        algorithm: name of a registered algorithm. One of off-policy kind takes the keys of rl_games' SAC, any other
            those of its PPO; keys of its own, which PPO and SAC lack, keep their names and values.
        sigma: logarithm of the actions' standard deviation at the start; None: as in the file.

    Raises:
        InputError: a key is unknown or missing, or its value is not supported here.
    """
    left_out: list[tuple[str, str]] = []
    top = SectionReader(source, "params", params, left_out)
    seed = top.whole("seed", 0)
    config, network = top.section("config"), top.section("network")

    # PPO with a recurrent layer is an algorithm of its own in Stable-Baselines3.
    recurrent = find_algorithm(algorithm).name == "ppo" and "rnn" in network
    entry = find_algorithm("recurrent_ppo" if recurrent else algorithm)
    off_policy = _is_off_policy(entry.load())
    _check_model(top, off_policy)

    # Each function takes the keys that it translates; those left over are judged below.
    environment, stacked_frames = read_environment(config, seed)
    parameters, frames_per_epoch = _read_hyperparameters(config, entry.load(), off_policy)
    architecture = _read_network(network, config, sigma, off_policy=off_policy, recurrent=recurrent)
    player = config.section("player")
    run = read_run_settings(config, player, environment["id"], frames_per_epoch)
    modules = top.value("import_modules", None)
    settings = {
        **({"modules": modules} if modules else {}),
        "experiment": {"name": run.full_name or run.name},
        "environment": environment,
        "algorithm": {"name": entry.name, "parameters": parameters, "architecture": architecture},
        "training": _read_training(config, seed, frames_per_epoch),
        "wrappers": read_wrappers(top.section("env"), config, stacked_frames, images="cnn" in network),
        "evaluation": {"deterministic": read_deterministic(player)},
        "simulation": {"n_environments": read_number_of_actors(config)},
    }

    # Refuse or note the remaining keys, then validate as for any other file.
    player.finish(PLAYER_NEUTRAL, {}, PLAYER_IGNORED)
    _finish(top, config, off_policy)
    return Translation(_validate(settings, source), run, _lines_by_reason(left_out))


def _is_off_policy(algorithm: type[BaseAlgorithm]) -> bool:
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

    return issubclass(algorithm, OffPolicyAlgorithm)


def _check_model(top: SectionReader, off_policy: bool) -> None:
    """Refuse a model that does not fit the algorithm; its other keys have no meaning here."""
    valid = SAC_MODELS if off_policy else PPO_MODELS
    model = top.section("model")
    name = model.text("name", valid[0])
    if name not in valid:
        raise UnknownNameError("model", str(name), valid, where=model.where("name"))
    model.finish({}, {})


def _read_hyperparameters(
    config: SectionReader, algorithm: type[BaseAlgorithm], off_policy: bool
) -> tuple[dict[str, Any], int]:
    """Read the keyword arguments of an algorithm, and the frames of one epoch."""
    parameters, frames_per_epoch = (read_sac if off_policy else read_ppo)(config)
    # Hyperparameters that neither PPO nor SAC has are those of an algorithm of the user's.
    shared = hyperparameter_names(find_algorithm("sac" if off_policy else "ppo").load())
    for name in hyperparameter_names(algorithm):
        if name in config and name not in shared:
            parameters[name] = config.value(name)
    check_hyperparameters(config, algorithm, parameters, off_policy=off_policy)
    return parameters, frames_per_epoch


def _read_network(
    network: SectionReader, config: SectionReader, sigma: float | None, *, off_policy: bool, recurrent: bool
) -> dict[str, Any]:
    """Read the settings of `algorithm.architecture`; `weight_decay` of `params.config` is among them."""
    default = "soft_actor_critic" if off_policy else "actor_critic"
    architecture = read_architecture(network, default, sigma, recurrent=recurrent)
    if decay := config.number("weight_decay", 0.0):
        architecture.setdefault("policy_kwargs", {})["optimizer_kwargs"] = {"weight_decay": decay}
    return architecture


def _read_training(config: SectionReader, seed: int, frames_per_epoch: int) -> dict[str, Any]:
    # Older files have device_name; both keys count as read.
    device = config.text("device", config.text("device_name", "auto"))
    config.text("device_name", None)
    save_epochs = config.whole("save_frequency", 0, least=0)
    return {
        "total_timesteps": read_total_timesteps(config, frames_per_epoch),
        "seed": seed,
        "device": device,
        "save_freq": save_epochs * frames_per_epoch or None,
    }


def _finish(top: SectionReader, config: SectionReader, off_policy: bool) -> None:
    """Account for the keys that no function has read."""
    neutral, ignored = (SAC_NEUTRAL, SAC_IGNORED) if off_policy else (PPO_NEUTRAL, PPO_IGNORED)
    config.finish({**RUN_NEUTRAL, **neutral}, {**RUN_REFUSED, **REFUSED}, {**RUN_IGNORED, **ignored})
    top.value("algo", None)
    refused = {"load_checkpoint": "give the model with --checkpoint"}
    top.finish({"load_checkpoint": (False,), "load_path": ANY}, refused, TOP_IGNORED)


def _validate(settings: Mapping[str, Any], source: str) -> Config:
    """Compose the configuration; errors have the names of the file."""
    try:
        return config_of_settings(settings, source)
    except InputError as error:
        message = str(error)
        for name, own in NAMES.items():
            message = message.replace(name, own)
        raise InputError(message) from None


def _lines_by_reason(left_out: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return a line for each reason, with all settings that it holds for."""
    reasons: dict[str, list[str]] = {}
    for name, reason in left_out:
        reasons.setdefault(reason, []).append(name)
    return tuple(f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in reasons.items())
