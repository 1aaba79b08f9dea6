"""Rooms import downward only, and no modules import each other in a circle."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
specification = importlib.util.spec_from_file_location("rooms", ROOT / "tools" / "rooms.py")
assert specification is not None
assert specification.loader is not None
rooms = importlib.util.module_from_spec(specification)
specification.loader.exec_module(rooms)
GRAPH = rooms.import_graph(ROOT)


def test_every_module_stands_in_a_room() -> None:
    found = {room for module in GRAPH if (room := rooms.room_of(module))}
    assert found == set(rooms.ROOMS)


def test_contributing_has_the_table_of_rooms() -> None:
    assert rooms.table() in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "paste: python tools/rooms.py"


def test_no_room_imports_from_one_above_it() -> None:
    assert list(rooms.upward_imports(GRAPH)) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert rooms.circles(GRAPH) == []


def test_circles_and_upward_imports_are_found(tmp_path: Path) -> None:
    package = tmp_path / "rl_pipeline"
    for name, text in {
        "errors": "def f():\n    from rl_pipeline.envs import a\n",
        "envs/a": "from rl_pipeline.envs.b import x\n",
        "envs/b": "from rl_pipeline.envs import a\nimport rl_pipeline.errors\n",
    }.items():
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    graph = rooms.import_graph(tmp_path)
    assert list(rooms.upward_imports(graph)) == [("rl_pipeline.errors", "rl_pipeline.envs.a")]
    assert rooms.circles(graph) == [["rl_pipeline.envs.a", "rl_pipeline.envs.b", "rl_pipeline.errors"]]
