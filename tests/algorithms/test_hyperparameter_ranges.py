"""Hyperparameters have ranges: values out of range are refused, defaults and tuned values are accepted."""

from __future__ import annotations

import inspect
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_pipeline.algorithms import algorithm_names, find_algorithm
from rl_pipeline.algorithms.architecture import policy_kwargs
from rl_pipeline.algorithms.build import check
from rl_pipeline.algorithms.hyperparameters import (
    checked_hyperparameters,
    constructor_parameters,
    hyperparameter_names,
    hyperparameter_ranges,
)
from rl_pipeline.config.hyperparameters import POLICY_RANGES, RANGES, Range
from rl_pipeline.config.schema import ArchitectureConfig, Config
from rl_pipeline.config.values import alternatives
from rl_pipeline.errors import InputError

DOCS = Path(__file__).parents[2] / "docs" / "algorithms.md"
ALGORITHMS = [name for name in algorithm_names() if find_algorithm(name).target.startswith(("stable_", "sb3_"))]
RANGED = [(name, key) for name in ALGORITHMS for key in sorted(hyperparameter_ranges(find_algorithm(name).load()))]

REFUSED: list[tuple[str, str, Any]] = [
    *(("ppo", "n_epochs", value) for value in (0, -1)),
    *(("ppo", "learning_rate", value) for value in (1e300, -1, "lin_1e300", {"initial": 1e-3, "final": -1})),
    *(("ppo", "clip_range", value) for value in (-0.2, 0, "lin_-0.2")),
    *(("ppo", "clip_range_vf", value) for value in (-0.2, 0)),
    *(("ppo", "gamma", value) for value in (1.5, -1)),
    *(("ppo", "max_grad_norm", value) for value in (0, -1)),
    *(("ppo", "batch_size", value) for value in (0, 1)),
    ("ppo", "gae_lambda", 2),
    ("ppo", "ent_coef", -1),
    ("ppo", "vf_coef", -1),
    ("ppo", "target_kl", -1),
    ("ppo", "stats_window_size", 0),
    ("ppo", "sde_sample_freq", 0),
    *(("sac", "train_freq", value) for value in (0, -1, [0, "step"], [-1, "episode"], [1.5, "step"])),
    *(("sac", "ent_coef", value) for value in (-0.1, "automatic", "auto_", "auto_0", "auto_-1", True)),
    *(("sac", "target_entropy", value) for value in ("auto_0.1", "none", math.inf)),
    *(("sac", "tau", value) for value in (2, -1, 0)),
    *(("sac", "buffer_size", value) for value in (0, -1)),
    ("sac", "target_update_interval", 0),
    ("sac", "batch_size", 0),
    ("crossq", "batch_size", 1),
    ("sac", "learning_starts", -1),
    ("sac", "n_steps", 0),
    ("sac", "gradient_steps", 0),
    ("td3", "policy_delay", 0),
    ("td3", "target_policy_noise", -1),
    *(("dqn", "exploration_fraction", value) for value in (2, 0)),
    ("dqn", "exploration_final_eps", 5),
    ("dqn", "target_update_interval", 0),
    ("tqc", "top_quantiles_to_drop_per_net", 25),
    ("ars", "n_delta", 0),
    ("ars", "delta_std", 0),
    *(("trpo", "line_search_shrinking_factor", value) for value in (0, 1)),
]

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("ppo", {"gamma": 1.0, "gae_lambda": 0, "clip_range_vf": None, "target_kl": None, "ent_coef": 0, "vf_coef": 0}),
    ("ppo", {"n_steps": 8, "batch_size": 256, "learning_rate": 0, "max_grad_norm": 5, "sde_sample_freq": -1}),
    ("ppo", {"learning_rate": "lin_2.5e-4", "clip_range": "lin_0.1", "clip_range_vf": 0.2, "n_epochs": 4}),
    ("ppo", {"learning_rate": "linear", "clip_range": "linear", "batch_size": 1, "normalize_advantage": False}),
    ("a2c", {"n_steps": 5, "learning_rate": "lin_0.00096", "gae_lambda": 1, "rms_prop_eps": 1e-5}),
    ("sac", {"ent_coef": "auto_0.1", "target_entropy": -3, "train_freq": [1, "episode"], "gradient_steps": -1}),
    ("sac", {"ent_coef": "auto", "target_entropy": "auto", "learning_starts": 0, "train_freq": 64, "tau": 1}),
    ("sac", {"ent_coef": 0.005, "learning_rate": "lin_7.3e-4", "n_steps": 3, "use_sde_at_warmup": True}),
    ("sac", {"ent_coef": "auto_1e-05", "action_noise": {"normal": 0}, "batch_size": 2048, "tau": 0.05}),
    ("td3", {"policy_delay": 1, "target_policy_noise": 0, "target_noise_clip": 0, "train_freq": [4, "step"]}),
    ("dqn", {"exploration_fraction": 1, "exploration_final_eps": 0, "exploration_initial_eps": 0.5, "gamma": 0}),
    ("dqn", {"optimize_memory_usage": True, "replay_buffer_kwargs": {"handle_timeout_termination": False}}),
    ("qrdqn", {"max_grad_norm": None, "target_update_interval": 1}),
    ("tqc", {"top_quantiles_to_drop_per_net": 5}),
    ("tqc", {"top_quantiles_to_drop_per_net": 0}),
    ("trpo", {"cg_damping": 1e-3, "n_critic_updates": 20, "sub_sampling_factor": 1, "target_kl": 0.04}),
    ("recurrent_ppo", {"batch_size": None, "learning_rate": {"schedule": "adaptive", "initial": 3e-4}}),
    ("ars", {"n_delta": 1, "n_top": 1, "learning_rate": 0.03, "delta_std": 0.0075, "alive_bonus_offset": -5}),
]


@pytest.mark.parametrize(("name", "key", "value"), REFUSED)
def test_a_value_out_of_range_is_refused_with_its_range(name: str, key: str, value: Any) -> None:
    algorithm = {"name": name, "parameters": {key: value}}
    with pytest.raises(InputError, match=rf"^algorithm\.parameters\.{key}[:.].*expected .*found") as refused:
        check(Config.model_validate({"algorithm": algorithm}))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("name", "parameters"), ACCEPTED)
def test_tuned_values_are_accepted(name: str, parameters: dict[str, Any]) -> None:
    check(Config.model_validate({"algorithm": {"name": name, "parameters": parameters}}))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_defaults_are_accepted(name: str) -> None:
    algorithm = find_algorithm(name).load()
    constructor = constructor_parameters(algorithm)
    defaults = {key: constructor[key].default for key in hyperparameter_names(algorithm) if key != "policy"}
    checked_hyperparameters(algorithm, defaults)
    for policy, policy_class in algorithm.policy_aliases.items():
        named = {key: each.default for key, each in inspect.signature(policy_class.__init__).parameters.items()}
        given = {key: named[key] for key in POLICY_RANGES if key in named}
        policy_kwargs(algorithm, policy, ArchitectureConfig(policy_kwargs=given))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_number_among_the_hyperparameters_has_a_range(name: str) -> None:
    algorithm = find_algorithm(name).load()
    numbers = {
        key
        for key in hyperparameter_names(algorithm)
        if {int, float} & set(alternatives(constructor_parameters(algorithm)[key].annotation))
    }
    assert numbers == set(hyperparameter_ranges(algorithm))


def outside(limits: Range) -> st.SearchStrategy[float]:
    numbers = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
    return (numbers | st.sampled_from([limits.low, limits.high, math.nan])).filter(lambda value: value not in limits)


@settings(max_examples=300)
@given(st.data())
def test_no_value_outside_its_range_is_accepted(data: st.DataObject) -> None:
    name, key = data.draw(st.sampled_from(RANGED))
    algorithm = find_algorithm(name).load()
    value = data.draw(outside(RANGES[key]))
    with pytest.raises(InputError, match=rf"^algorithm\.parameters\.{key}: expected .* {re.escape(str(RANGES[key]))}"):
        checked_hyperparameters(algorithm, {key: value})


@settings(max_examples=300)
@given(st.data())
def test_each_value_within_its_range_is_accepted(data: st.DataObject) -> None:
    name, key = data.draw(st.sampled_from(RANGED))
    algorithm = find_algorithm(name).load()
    limits = RANGES[key]
    numbers: st.SearchStrategy[float] = st.integers(-100, 10**6).filter(lambda value: value in limits)
    if float in alternatives(constructor_parameters(algorithm)[key].annotation):
        low, high = max(limits.low, -1e6), min(limits.high, 1e6)
        numbers |= st.floats(low, high, exclude_min=limits.above, exclude_max=limits.below)
    value = data.draw(numbers)
    if key == "batch_size":
        value = max(value, 2)
    assert checked_hyperparameters(algorithm, {key: value}) == {key: value}


def test_an_algorithm_of_ones_own_keeps_its_own_ranges() -> None:
    class Mine(find_algorithm("ppo").load()):  # type: ignore[misc]
        def __init__(self, *args: Any, gamma: float = 2.0, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    assert checked_hyperparameters(Mine, {"gamma": 3.0}) == {"gamma": 3.0}
    with pytest.raises(InputError, match="gae_lambda: expected a number from 0 to 1"):
        checked_hyperparameters(Mine, {"gae_lambda": 3.0})


def test_the_documented_ranges_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*?) \|", DOCS.read_text(), flags=re.MULTILINE)
    documented = {name: limits for names, limits in rows for name in re.findall(r"\w+", names)}
    for name, limits in {**RANGES, **POLICY_RANGES}.items():
        assert documented[name].partition(";")[0] == (str(limits).removeprefix("of ") or "any number"), name
