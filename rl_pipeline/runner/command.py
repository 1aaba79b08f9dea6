"""`rl-pipeline runner`: a file and what the command line says, given to a `Runner`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from rl_pipeline.config import load_config
from rl_pipeline.config.yaml_files import read_yaml, shown
from rl_pipeline.errors import InputError
from rl_pipeline.runner.runner import Runner


def run_file(
    file: Path,
    arguments: Mapping[str, Any],
    *,
    seed: int | None,
    num_actors: int | None,
    console: Console,
    progress: Console,
) -> Any:
    """Train or play as a file says, and return what that returns.

    Args:
        file: YAML of rl_games' layout, which has `params`, or an experiment file of this project.
        arguments: of `Runner.run`.
        seed: in place of the file's; None: the file's.
        num_actors: number of environments in place of the file's; None: the file's.
        console: where results are printed.
        progress: where progress is drawn.

    Raises:
        InputError: the file or an argument cannot be used.
    """
    runner = Runner(console=console, progress=progress)
    tree = read_yaml(file, last_counts=True)
    if "params" in tree:
        runner.load(_resolved(_overridden(tree, seed, num_actors), shown(file)), shown(file))
    else:
        overrides = [f"training.seed={seed}"] if seed is not None else []
        overrides += [f"n_environments={num_actors}"] if num_actors is not None else []
        runner.load(load_config(config_file=file, overrides=overrides), shown(file))
    return runner.run(arguments)


def _overridden(tree: dict[Any, Any], seed: int | None, num_actors: int | None) -> dict[Any, Any]:
    """The file with another seed and number of actors, where there are sections to put them into."""
    params = tree["params"]
    config = params.get("config") if isinstance(params, dict) else None
    if not isinstance(config, dict):
        return tree
    if seed is not None:
        params["seed"] = seed
        if isinstance(environment := config.get("env_config"), dict):
            environment.pop("seed", None)
    if num_actors is not None:
        config["num_actors"] = num_actors
    return tree


def _resolved(tree: dict[Any, Any], source: str) -> dict[Any, Any]:
    """The file with the value that each `${...}` refers to.

    Raises:
        InputError: some refer to what is not in the file; IsaacGymEnvs' files do, to the rest of its configuration.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    config = OmegaConf.create(tree)
    outside = []
    for name, text in _references(tree):
        try:
            OmegaConf.update(config, name, OmegaConf.select(config, name))
        except OmegaConfBaseException:
            outside.append(f"{source}: {name}: {text} refers to what is not in this file; expected a value")
    if outside:
        raise InputError("\n".join(outside))
    resolved = OmegaConf.to_container(config)
    assert isinstance(resolved, dict)
    return resolved


def _references(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and texts of the values that hold `${`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _references(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{name}.{index}")
    elif isinstance(value, str) and "${" in value:
        yield name, value
