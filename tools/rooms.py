"""The rooms of the code and the imports between them, for CONTRIBUTING.md and tests/packaging/test_imports.py.

python tools/rooms.py                # the table of CONTRIBUTING.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGE: Final = "rl_pipeline"
ROOMS: Final[dict[str, str]] = {
    "version": "version of the package",
    "lazy_names": "names of packages that are imported on first use",
    "errors": "errors that users see",
    "plurals": "nouns in messages",
    "paths": "folders of this machine",
    "tracebacks": "one-line descriptions of exceptions",
    "registry": "names and the classes behind them",
    "plugins": "modules of the user's own",
    "interfaces": "`.msg` and `.srv` definitions, codec between bytes and arrays",
    "transport": "wire protocol: frames, connections, endpoint, client, batched service calls",
    "config": "composition and validation of YAML files and overrides",
    "players": "embedded simulator and its scenes",
    "ros": "rclpy: nodes, message types, bridge",
    "backends": "ways in which a request reaches a player: direct, ROS 2, ML-Agents",
    "simulation": "players as processes",
    "envs": "environments, vector environments, faults of players and states",
    "tasks": "observation, reward and end of an episode, one file a task",
    "wrappers": "processing between environments and agent, one file a wrapper",
    "models": "networks",
    "algorithms": "names and hyperparameters of algorithms",
    "experiment": "the folder of a run: checkpoints, loggers, recordings, plots",
    "evaluation": "agents, policies, rollouts, comparison, checks of environments",
    "run": "RLTrainer and everything that belongs to training",
    "sweeps": "hyperparameter search",
    "deployment": "export, policy nodes",
    "benchmarks": "`rl-pipeline benchmark`",
    "rl_games": "files and registries of rl_games",
    "cli": "the verbs of `rl-pipeline`, one file a verb",
}
"""From the ground up: a room imports from the rooms above it in this list only."""


def modules(root: Path) -> dict[str, Path]:
    """Return the modules of the package below `root` by dotted name."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Return the project's modules that a file imports, lazy imports and those for type checkers included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
            found |= {full if (full := f"{node.module}.{alias.name}") in known else node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] == PACKAGE}
    return found


def import_graph(root: Path) -> dict[str, set[str]]:
    """Return the modules that each module imports."""
    known = modules(root)
    return {module: imports(path, known) - {module} for module, path in known.items()}


def room_of(module: str) -> str | None:
    """Return the room of a module; None for the package itself."""
    _, _, rest = module.partition(".")
    return rest.partition(".")[0] or None


def upward_imports(graph: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield imports, importer first, that go to a room further down in the list."""
    level = {room: number for number, room in enumerate(ROOMS)}
    for module, imported in graph.items():
        room = room_of(module)
        if room is None:
            continue  # the package offers names of every room, lazily
        for other in sorted(imported):
            if level.get(room_of(other) or "", len(level)) > level.get(room, -1):
                yield module, other


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other (strongly connected components, Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in graph.get(module, ()):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            group = []
            while not group or group[-1] != module:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for module in graph:
        if module not in index:
            visit(module)
    return found


def table() -> str:
    """Return the rooms as a Markdown table."""
    rows = ["| room | contents |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{room}` | {contents} |" for room, contents in ROOMS.items())]) + "\n"


if __name__ == "__main__":
    print(table(), end="")
