"""The runner: builds the algorithm or the player that a file names, and trains or plays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from rl_pipeline.algorithms.registration import find_algorithm
from rl_pipeline.config import Config, load_config
from rl_pipeline.config.composition import read_yaml, shown
from rl_pipeline.config.expectations import found
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.evaluations import Episodes
from rl_pipeline.plugins import import_user_module
from rl_pipeline.rl_games.job import Job, Tracking
from rl_pipeline.rl_games.object_factory import ObjectFactory
from rl_pipeline.rl_games.observers import AlgoObserver
from rl_pipeline.rl_games.registries import ALGORITHMS, PLAYERS
from rl_pipeline.run.result import TrainingResult

ARGUMENTS: Final = ("train", "play", "checkpoint", "sigma", "track", "wandb_project_name", "wandb_entity")


class Runner:
    """Trains or plays as a file says.

    Args:
        observer: watches a training, beside the one that the file names; None: that one, or else the default one.
        console: where results are printed; None: on standard output.
        progress: where progress is drawn; None: it is logged only.

    Attributes:
        algo_factory: builders of algorithms; what is registered here is known to this runner alone.
        player_factory: builders of players, likewise.
    """

    def __init__(
        self, observer: AlgoObserver | None = None, *, console: Console | None = None, progress: Console | None = None
    ) -> None:
        self.algo_factory = ObjectFactory("algorithm", ALGORITHMS)
        self.player_factory = ObjectFactory("player", PLAYERS)
        self.observer = observer
        self._console, self._progress = console or Console(), progress
        self.reset()

    def reset(self) -> None:
        """Forget what was loaded."""
        self._source = "config"
        self._name: str | None = None
        self._params: Mapping[str, Any] = {}
        self._experiment: Config | None = None

    def load(self, config: Mapping[str, Any] | Config, source: str = "config") -> None:
        """Take a configuration.

        Args:
            config: the mapping of a file with rl_games' layout, or a configuration of this project.
            source: the file, as messages name it. Modules of `params.import_modules` may be files beside it.

        Raises:
            InputError: it has no `params`, or no algorithm of a known name.
        """
        self.reset()
        self._source = source
        if isinstance(config, Config):
            self._experiment = config
            self._name = find_algorithm(config.algorithm.name).name
            return
        if "params" not in config:
            raise InputError(f"{source}: expected params, as rl_games has it, found {', '.join(map(str, config))}")
        self.load_config(config["params"])

    def load_config(self, params: Mapping[str, Any]) -> None:
        """Take what stands under `params` in a file with rl_games' layout. Raises `InputError` as `load` does."""
        if not isinstance(params, Mapping):
            raise InputError(f"{self._source}: params: expected a section of keys, found {found(params)}")
        self._params = self._with_modules(params)
        algorithm = params.get("algo")
        name = algorithm.get("name") if isinstance(algorithm, Mapping) else None
        if not isinstance(name, str):
            raise InputError(f"{self._source}: params.algo.name: expected an algorithm, found {found(name)}")
        if name not in self.algo_factory.names:
            where = f"{self._source}: params.algo.name"
            raise UnknownNameError("algorithm", name, self.algo_factory.names, where=where)
        self._name = name

    def run(self, args: Mapping[str, Any]) -> TrainingResult | Episodes | Any:
        """Train or play.

        Args:
            args: `train` and `play`, of which one is true; `checkpoint`: a run or a model to go on with or to play
                with; `sigma`: logarithm of the actions' standard deviation; `track`, `wandb_project_name` and
                `wandb_entity`: the run on Weights & Biases. What is missing is false or None.

        Returns:
            what the algorithm's `train` or the player's `run` does: of those built in, the result of the training, or
            the games.

        Raises:
            InputError: an argument is unknown, both or neither of `train` and `play` are given, or the file or the
                checkpoint cannot be used.
        """
        for name in args:
            if name not in ARGUMENTS:
                raise UnknownNameError("argument of Runner.run", str(name), ARGUMENTS)
        if bool(args.get("train")) == bool(args.get("play")):
            found_words = "both" if args.get("train") else "neither"
            raise InputError(f"expected --train or --play, found {found_words}")
        return self.run_train(args) if args.get("train") else self.run_play(args)

    def run_train(self, args: Mapping[str, Any]) -> TrainingResult | Any:
        """Train, from `args["checkpoint"]` if there is one. Raises `InputError` as `run` does."""
        agent = self.algo_factory.create(self._loaded(), job=self._job(args))
        if args.get("checkpoint"):
            agent.restore(str(args["checkpoint"]))
        return agent.train()

    def run_play(self, args: Mapping[str, Any]) -> Episodes | Any:
        """Play with `args["checkpoint"]`. Raises `InputError` as `run` does."""
        player = self.create_player(args)
        if args.get("checkpoint"):
            player.restore(str(args["checkpoint"]))
        return player.run()

    def create_player(self, args: Mapping[str, Any] | None = None) -> Any:
        """The player of the loaded file; nothing is restored yet. Raises `InputError` as `run` does."""
        return self.player_factory.create(self._loaded(), job=self._job(args or {}))

    def _job(self, args: Mapping[str, Any]) -> Job:
        project, entity = args.get("wandb_project_name"), args.get("wandb_entity")
        if (project or entity) and not args.get("track"):
            raise InputError(f"--wandb-{'project-name' if project else 'entity'}: needs --track")
        return Job(
            name=self._loaded(), source=self._source, params=self._params, experiment=self._experiment,
            observer=self.observer, sigma=args.get("sigma"),
            tracking=Tracking(project, entity) if args.get("track") else None,
            console=self._console, progress=self._progress,
        )  # fmt: skip

    def _loaded(self) -> str:
        if self._name is None:
            raise InputError("Runner: nothing is loaded; call load(config) first")
        return self._name

    def _with_modules(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters once the modules that they name are imported, those beside the file named by their paths."""
        where = f"{self._source}: params.import_modules"
        modules = params.get("import_modules") or []
        if isinstance(modules, str) or not all(isinstance(module, str) for module in modules):
            raise InputError(f"{where}: expected names of modules, found {modules!r}")
        files = [Path(self._source).parent / f"{module}.py" for module in modules]
        names = [str(file) if file.is_file() else module for file, module in zip(files, modules, strict=True)]
        for name in names:
            import_user_module(name, where)
        return {**params, "import_modules": names}


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
