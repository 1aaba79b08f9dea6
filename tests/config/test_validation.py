"""What a user reads who made a mistake in the configuration: the file, the key, what was expected and found."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.config import load_config
from rl_pipeline.errors import InputError, UnknownNameError


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def message(text: str | None = None, *overrides: str, name: str | None = None) -> str:
    """The error that a file with this text, or the shipped experiment of that name, gives."""
    file = None if text is None else Path("mine.yaml")
    if file is not None and text is not None:
        file.write_text(text)
    with pytest.raises(InputError) as raised:
        load_config(name, config_file=file, overrides=overrides)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "training: {total_timestep: 5}",
            "mine.yaml: unknown key 'training.total_timestep'; did you mean 'training.total_timesteps'?",
        ),
        (
            "training: {algorithm_paramters: {}}",
            "mine.yaml: unknown key 'training.algorithm_paramters'; did you mean 'training.algorithm_parameters'?",
        ),
        ("trainig: {seed: 1, use_wandb: 2}", "mine.yaml: unknown key 'trainig'; did you mean 'training'?"),
        (
            "training: {training: {evl: {seed: 1}}}",
            "mine.yaml: unknown key 'training.training.evl'; did you mean 'training.training.eval'?",
        ),
        (
            "training: {render_mode: human}",
            "mine.yaml: unknown key 'training.render_mode'; did you mean 'environment.render_mode'?",
        ),
        (
            "algorithm: {name: ppo, learning_rate: 3e-4}",
            "mine.yaml: unknown key 'algorithm.learning_rate'; did you mean 'algorithm.parameters.learning_rate'?",
        ),
        (
            "algorithm: {policy: MlpPolicy}",
            "mine.yaml: unknown key 'algorithm.policy'; did you mean 'algorithm.parameters.policy'?",
        ),
        (
            "environment: {id: CartPole-v1, sutton_barto_reward: true}",
            "mine.yaml: unknown key 'environment.sutton_barto_reward'; keyword arguments of the environment belong "
            "below it, as 'environment.env_config.sutton_barto_reward'",
        ),
        (
            "environment: {max_episode_steps: 100}",
            "mine.yaml: unknown key 'environment.max_episode_steps'; did you mean 'environment.horizon'?",
        ),
        (
            "training: {training: {num_envs: 4}}",
            "mine.yaml: unknown key 'training.training.num_envs'; did you mean 'n_environments'?",
        ),
        ("n_timesteps: 1e5", "mine.yaml: unknown key 'n_timesteps'; did you mean 'training.total_timesteps'?"),
        ("play: {xyz: 1}", "mine.yaml: unknown key 'play.xyz'; valid: experiment, pretrained_model"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(text: str, expected: str) -> None:
    assert message(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training: {seed: -1}", "training.seed: expected a whole number from 0 to 4294967295, found -1"),
        ("training: {seed: many}", "training.seed: expected a whole number from 0 to 4294967295, found 'many'"),
        ("training: {seed: {a: 1}}", "training.seed: expected a whole number from 0 to 4294967295, found {'a': 1}"),
        ("training: {seed: null}", "training.seed: expected a whole number from 0 to 4294967295, found null"),
        ("training: {seed: true}", "training.seed: expected a whole number from 0 to 4294967295, found true"),
        ("training: {verbose: 3}", "training.verbose: expected a whole number from 0 to 2 or true or false, found 3"),
        (
            "training: {total_timesteps: 1.5}",
            "training.total_timesteps: expected a whole number of at least 1, found 1.5",
        ),
        ("training: {use_wandb: maybe}", "training.use_wandb: expected true or false, found 'maybe'"),
        ("training: {device: gpu}", "training.device: expected auto, cpu, cuda or cuda:N, found 'gpu'"),
        ("training: 5", "training: expected a section with keys such as total_timesteps, seed, device, found 5"),
        ("unity: {time_scale: .nan}", "unity.time_scale: expected a number of at least 0.0, found nan"),
        ("unity: {step_timeout: 0}", "unity.step_timeout: expected a number above 0.0, found 0"),
        ("unity: {build_path: ''}", "unity.build_path: expected a string that is not empty, found ''"),
        ("experiment: {name: on}", "experiment.name: expected a string, found true"),
        ("ros: {backend: [direct]}", "ros.backend: expected a string, found ['direct']"),
        (
            "environment: {render_mode: rgb}",
            "environment.render_mode: expected 'rgb_array', 'human' or null, found 'rgb'",
        ),
        ("algorithm: {parameters: 3}", "algorithm.parameters: expected a mapping of names to values, found 3"),
        ("wandb_run: {tags: a}", "wandb_run.tags: expected a list of strings, found 'a'"),
        ("run: {run_type: fast}", "run.run_type: expected 'debug', 'tensorboard', 'wandb' or null, found 'fast'"),
        ("robot: panda", "robot: expected a mapping of names to values, found 'panda'"),
        (
            "architecture: {net_arch: {pi: [0]}}",
            "architecture.net_arch: expected a list of whole numbers of at least 1, a mapping of names to lists of "
            "whole numbers of at least 1 or null, found {'pi': [0]}",
        ),
        (
            "experiment: {name: a/b}",
            "experiment.name: expected a folder name of 1 to 200 bytes, without slashes and control characters, "
            "found 'a/b'",
        ),
        (
            "training: {n_envs: 8}\nn_environments: 4",
            "training.n_envs (8) and n_environments (4) both say what simulation.n_environments is, and differ; "
            "keep one",
        ),
        (
            "n_environments: 10\nworlds_per_player: 4",
            "worlds_per_player: n_environments (10) is no multiple of it; expected a divisor, found 4",
        ),
        (
            "training: {run_type: debug, use_wandb: true}",
            "training.run_type: with training.use_wandb=true expected wandb or null, found 'debug'",
        ),
        (
            "play: {experiment: '${nix.da}'}",
            "play.experiment: cannot resolve '${nix.da}': Interpolation key 'nix.da' not found",
        ),
        ("play: {experiment: '${nix'}", "play.experiment: cannot be read: no viable alternative at input '${nix'"),
        ("play: {experiment: '???'}", "play.experiment: expected a value, found ???, which asks for one"),
        ("- a", "expected a mapping of sections, found a list"),
        ("a: 1\na: 2", "line 2, column 1: not valid YAML: found duplicate key a: 'a: 2'"),
        (
            "training:\n  seed: [1\n  verbose: 2\n",
            "line 3, column 10: not valid YAML: expected ',' or ']', but got ':': 'verbose: 2'",
        ),
        ("defaults: ppo", "defaults: expected a list such as [algorithm: ppo], found 'ppo'"),
        ("defaults: [true]", "defaults list: Unsupported type in defaults : bool"),
        ("defaults: [algorithm: pp0]", "defaults list: unknown algorithm 'pp0'; did you mean 'ppo'?"),
        ("defaults: [algoritm: ppo]", "defaults list: unknown group 'algoritm'; did you mean 'algorithm'?"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected_and_found(text: str, expected: str) -> None:
    assert message(text) == f"mine.yaml: {expected}"


def test_all_problems_of_all_layers_are_listed_together() -> None:
    Path("config.yml").write_text("n_enviroments: 3\nros: {tcp_port: 70000}\n")
    assert message("training: {seed: x}\nevalution: {}", "unity.pause=2", "wandb_run.tag=x").splitlines() == [
        "mine.yaml: unknown key 'evalution'; did you mean 'evaluation'?",
        "config.yml: unknown key 'n_enviroments'; did you mean 'n_environments'?",
        "command line: unknown key 'wandb_run.tag'; did you mean 'wandb_run.tags'?",
        "mine.yaml: training.seed: expected a whole number from 0 to 4294967295, found 'x'",
        "config.yml: ros.tcp_port: expected a whole number from 0 to 65535, found 70000",
        "command line: unity.pause: expected true or false, found 2",
    ]


def test_a_group_file_at_fault_is_named() -> None:
    Path("training").mkdir()
    Path("training/odd.yaml").write_text("seed: x\nsed: 1\n")
    assert message("defaults: [training: odd]").splitlines() == [
        "training/odd.yaml: unknown key 'training.sed'; did you mean 'training.seed'?",
        "training/odd.yaml: training.seed: expected a whole number from 0 to 4294967295, found 'x'",
    ]
    Path("training/odd.yaml").write_text("seed: [1\n")
    assert message("defaults: [training: odd]").startswith("training/odd.yaml: line 2, column 1: not valid YAML: ")
    Path("training/odd.yaml").write_text("defaults: [deflt]\n")
    assert message("defaults: [training: odd]") == (
        "training/odd.yaml: defaults list: unknown training 'deflt'; did you mean 'default'?"
    )


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (
            "training.seed",
            "cannot read 'training.seed' (missing EQUAL at '<EOF>'); expected key=value, such as training.seed=1",
        ),
        ("=3", "cannot read '=3'; expected key=value, such as training.seed=1"),
        ("training.seed=1,2", "'training.seed=1,2' gives several values; a list is written [1,2]"),
        ("training.sed=1", "unknown key 'training.sed'; did you mean 'training.seed'?"),
        ("unity.time_scale=-2", "unity.time_scale: expected a number of at least 0.0, found -2"),
        ("algorithm=saac", "unknown algorithm 'saac'; did you mean 'sac' or 'a2c' or 'sac_her'?"),
        ("~training.sed", "~training.sed: nothing to delete; no file sets this key"),
        ("~training.seed=1", "'~training.seed=1': expected a key alone after ~, found a value too"),
        ("experiment=mine", "experiment: expected a section with keys such as name, directory, found 'mine'"),
    ],
)
def test_a_wrong_override_is_named(override: str, expected: str) -> None:
    assert message(None, override) == f"command line: {expected}"


def test_choosing_a_group_that_the_file_does_not_use_says_how_to_add_it() -> None:
    assert message("training: {seed: 1}", "algorithm=sac") == (
        "command line: algorithm=sac: mine.yaml chooses no file of the group algorithm, so there is none to replace; "
        "expected keys, such as algorithm.name=sac, or +algorithm=sac to put that file over it"
    )


def test_an_unknown_experiment_is_named_with_the_nearest() -> None:
    assert message(name="navigation_saac").endswith(
        "unknown experiment file 'navigation_saac'; did you mean 'navigation_sac' or 'navigation_ppo'?"
    )
    Path("config.yml").write_text("experiment: navigation_saac\n")
    assert message().startswith("config.yml: experiment: unknown experiment file 'navigation_saac'; did you mean")


def test_a_missing_file_is_named_with_the_nearest() -> None:
    Path("mine.yaml").touch()
    with pytest.raises(UnknownNameError, match=r"^unknown file 'mein\.yaml'; did you mean 'mine\.yaml'\?$"):
        load_config(config_file=Path("mein.yaml"))
    with pytest.raises(InputError, match=r"^nowhere: expected a folder of configuration files, found no such folder$"):
        load_config(config_dir=Path("nowhere"))


def test_what_is_no_text_file_is_named() -> None:
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"^binary\.yaml: cannot be read: 'utf-8' codec"):
        load_config(config_file=Path("binary.yaml"))
    Path("folder.yaml").mkdir()
    with pytest.raises(InputError, match=r"^folder\.yaml: cannot be read: Is a directory$"):
        load_config(config_file=Path("folder.yaml"))


def test_a_name_and_a_file_together_are_refused() -> None:
    with pytest.raises(InputError, match="expected a config name or a config file, found both: 'a' and b"):
        load_config("a", config_file=Path("b.yaml"))
