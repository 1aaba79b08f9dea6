"""The runner: builds the algorithm or the player that a file names, to train or to play."""

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
from rl_pipeline.rl_games.observers import AlgoObserver
from rl_pipeline.rl_games.registries import ALGORITHMS, PLAYERS, ObjectFactory
from rl_pipeline.run.result import TrainingResult

ARGUMENTS: Final = ("train", "play", "checkpoint", "sigma", "track", "wandb_project_name", "wandb_entity")


class Runner:
    """rl_games' runner: load a file, then train or play.

    Args:
        observer: observer of trainings, in addition to the one that the file names; None: that one, else the default.
        console: output of results; None: standard output.
        progress: output of progress; None: progress is logged only.

    Attributes:
        algo_factory: builders of algorithms; an entry added here belongs to this runner only.
        player_factory: builders of players, of this runner in the same way.
    """

    def __init__(
        self, observer: AlgoObserver | None = None, *, console: Console | None = None, progress: Console | None = None
    ) -> None:
        self.algo_factory = ObjectFactory("algorithm", ALGORITHMS)
        self.player_factory = ObjectFactory("player", PLAYERS)
        self.observer = observer
        self._console = console or Console()
        self._progress = progress
        self.reset()

    def reset(self) -> None:
        """Return to the state before `load`."""
        self._source = "config"
        self._name: str | None = None
        self._params: Mapping[str, Any] = {}
        self._experiment: Config | None = None

    def load(self, config: Mapping[str, Any] | Config, source: str = "config") -> None:
        """Load a configuration.

        Args:
            config: the mapping of a file of rl_games, or a configuration of this project.
            source: the file, as messages name it. Modules of `params.import_modules` may be files in its folder.

        Raises:
            InputError: it has no `params`, or no algorithm of a known name.
        """
        self.reset()
        self._source = source
        # An experiment file needs no translation.
        if isinstance(config, Config):
            self._experiment = config
            self._name = find_algorithm(config.algorithm.name).name
            return
        if "params" not in config:
            raise InputError(f"{source}: expected params, as rl_games has it, found {', '.join(map(str, config))}")
        self.load_config(config["params"])

    def load_config(self, params: Mapping[str, Any]) -> None:
        """Load the section `params` of a file of rl_games. Raises `InputError` as `load` does."""
        if not isinstance(params, Mapping):
            raise InputError(f"{self._source}: params: expected a section of keys, found {found(params)}")

        # Modules before names: they may register the algorithm.
        self._params = self._import_modules(params)
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
            args: `train` and `play`, of which one is true; `checkpoint`: a run or a model to continue or to play;
                `sigma`: logarithm of the actions' standard deviation; `track`, `wandb_project_name` and
                `wandb_entity`: the run on Weights & Biases. Missing ones are false or None.

        Returns:
            the value of the algorithm's `train` or the player's `run`: for those built in, the result of the training,
            or the games.

        Raises:
            InputError: an argument is unknown, both or neither of `train` and `play` are given, or the file or the
                checkpoint cannot be used.
        """
        # A misspelt argument would be a missing one.
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
        """Make the player of the loaded file, without a model. Raises `InputError` as `run` does."""
        return self.player_factory.create(self._loaded(), job=self._job(args or {}))

    def _job(self, args: Mapping[str, Any]) -> Job:
        # Without --track the two options would be ignored in silence.
        project, entity = args.get("wandb_project_name"), args.get("wandb_entity")
        if (project or entity) and not args.get("track"):
            raise InputError(f"--wandb-{'project-name' if project else 'entity'}: needs --track")
        return Job(
            name=self._loaded(),
            source=self._source,
            params=self._params,
            experiment=self._experiment,
            observer=self.observer,
            sigma=args.get("sigma"),
            tracking=Tracking(project, entity) if args.get("track") else None,
            console=self._console,
            progress=self._progress,
        )

    def _loaded(self) -> str:
        if self._name is None:
            raise InputError("Runner: nothing is loaded; call load(config) first")
        return self._name

    def _import_modules(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Import the modules of `import_modules`, and return the parameters with files next to this one as paths."""
        where = f"{self._source}: params.import_modules"
        modules = params.get("import_modules") or []
        if isinstance(modules, str) or not all(isinstance(module, str) for module in modules):
            raise InputError(f"{where}: expected names of modules, found {modules!r}")
        # Files by their paths: the configuration of the run does not know the folder of this file.
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
    """Train or play by a file, and return the value of `Runner.run`.

    Args:
        file: YAML file of rl_games, which has `params`, or an experiment file of this project.
        arguments: of `Runner.run`.
        seed: replaces the file's; None: the file's.
        num_actors: replaces the file's number of environments; None: the file's.
        console: output of results.
        progress: output of progress.

    Raises:
        InputError: the file or an argument cannot be used.
    """
    runner = Runner(console=console, progress=progress)
    tree = read_yaml(file, last_counts=True)
    # A file of rl_games is changed before its references are resolved: they may refer to the changed settings.
    if "params" in tree:
        runner.load(_resolve(_override(tree, seed, num_actors), shown(file)), shown(file))
    else:
        overrides = [f"training.seed={seed}"] if seed is not None else []
        overrides += [f"n_environments={num_actors}"] if num_actors is not None else []
        runner.load(load_config(config_file=file, overrides=overrides), shown(file))
    return runner.run(arguments)


def _override(tree: dict[Any, Any], seed: int | None, num_actors: int | None) -> dict[Any, Any]:
    """Set seed and number of actors, in files that have the sections for them."""
    params = tree["params"]
    config = params.get("config") if isinstance(params, dict) else None
    if not isinstance(config, dict):
        return tree
    if seed is not None:
        params["seed"] = seed
        # A seed of the environment would win.
        if isinstance(environment := config.get("env_config"), dict):
            environment.pop("seed", None)
    if num_actors is not None:
        config["num_actors"] = num_actors
    return tree


def _resolve(tree: dict[Any, Any], source: str) -> dict[Any, Any]:
    """Replace each `${...}` by the value that it refers to.

    Raises:
        InputError: a reference leads out of the file, as those of IsaacGymEnvs do, to the rest of its configuration.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    # One by one, so that the error names every reference that leads out of the file.
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
    """Yield dotted name and text of each value that contains `${`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _references(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{name}.{index}")
    elif isinstance(value, str) and "${" in value:
        yield name, value
