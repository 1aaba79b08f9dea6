"""Measures of the code base: sizes, imports, comments, prose and tests found by name.

python tools/structure.py                           # the whole package
python tools/structure.py --room envs --list        # one room, with the places that count
python tools/structure.py --root ../other-checkout  # another version, to compare
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import rooms

LONG_FUNCTION = 15
"""Lines from which a function is expected to have a comment before its steps."""
WHAT = re.compile(r"\bwhat\b", re.IGNORECASE)
OPENING = re.compile(r"^(What|Where|Who|Whose|How|Whether|Which|None of|Nothing|No one|Nobody)\b")
AVOIDED = re.compile(r"\b(whoever|whatever|nobody|told|anew|beside|likewise)\b", re.IGNORECASE)


@dataclass
class Measures:
    """Counts over the files of a package or room.

    Attributes:
        file_lines: lines of each file.
        lines: lines of code, comments and docstrings, blank ones excluded.
        comments: lines with a comment.
        long_functions: functions of at least `LONG_FUNCTION` lines.
        commented_functions: those of them with a comment inside.
        words: words of docstrings.
        whats: occurrences of "what" in docstrings.
        places: what `--list` prints, by file and line.
    """

    file_lines: dict[Path, int] = field(default_factory=dict)
    lines: int = 0
    comments: int = 0
    long_functions: int = 0
    commented_functions: int = 0
    words: int = 0
    whats: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Count one file."""
        text = path.read_text(encoding="utf-8")
        rows = text.splitlines()
        self.file_lines[path] = len(rows)
        self.lines += sum(bool(row.strip()) for row in rows)
        commented = set(comment_lines(text))
        self.comments += len(commented)
        tree = ast.parse(text)
        self._add_functions(path, tree, commented)
        for number, docstring in docstrings(tree, text):
            self._add_docstring(path, number, docstring)

    def _add_functions(self, path: Path, tree: ast.AST, commented: set[int]) -> None:
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            # Decorators and docstring are not steps.
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if not body or (node.end_lineno or 0) - node.lineno + 1 < LONG_FUNCTION:
                continue
            self.long_functions += 1
            if commented & set(range(node.body[0].lineno, (node.end_lineno or 0) + 1)):
                self.commented_functions += 1
            else:
                self.places.append(f"{path}:{node.lineno}: no comment in {node.name}")

    def _add_docstring(self, path: Path, number: int, docstring: str) -> None:
        self.words += len(docstring.split())
        self.whats += len(WHAT.findall(docstring))
        for offset, row in enumerate(docstring.splitlines()):
            sentence = re.sub(r"^\s*\w+: ", "", row).strip()
            if (offset == 0 and OPENING.search(row)) or AVOIDED.search(row) or WHAT.search(row):
                self.places.append(f"{path}:{number + offset}: {sentence or row.strip()}")


def comment_lines(text: str) -> Iterator[int]:
    """Yield the numbers of the lines with a comment, directives to tools excluded."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#\s*(noqa|type:|fmt:|isort:|pragma)", token.string):
            yield token.start[0]


def docstrings(tree: ast.AST, text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of every docstring, those under constants and attributes included."""
    del text
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            value = getattr(statement, "value", None)
            if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value


def measure(root: Path, room: str | None) -> Measures:
    """Measure the package below `root`, or one room of it."""
    found = Measures()
    for module, path in rooms.modules(root).items():
        if room is None or rooms.room_of(module) == room:
            found.add(path)
    return found


def tested_by_name(root: Path, room: str | None) -> tuple[int, int]:
    """Return how many modules have a test file of their name in the folder of their room, and how many there are."""
    tests = {path.relative_to(root / "tests") for path in (root / "tests").rglob("test_*.py")}
    names = {(path.parts[0], path.stem.removeprefix("test_")) for path in tests}
    modules = [
        module
        for module, path in rooms.modules(root).items()
        if path.stem not in ("__init__", "__main__") and (room is None or rooms.room_of(module) == room)
    ]
    return sum((module.split(".")[1], module.rpartition(".")[2]) in names for module in modules), len(modules)


def print_report(root: Path, room: str | None, listed: bool) -> None:
    """Print the measures as a table."""
    found = measure(root, room)
    graph = rooms.import_graph(root)
    folders = Counter(path.parent for path in found.file_lines)
    folder, largest = folders.most_common(1)[0]
    worst = max((len(imported), module) for module, imported in graph.items() if room in (None, rooms.room_of(module)))
    named, modules = tested_by_name(root, room)
    commented = 100 * found.commented_functions / max(found.long_functions, 1)
    rows = {
        "files; lines": f"{len(found.file_lines)}; {sum(found.file_lines.values())}",
        "median file; largest file": f"{statistics.median(found.file_lines.values()):.0f}; "
        f"{max(found.file_lines.values())}",
        "largest folder (files)": f"{largest} ({folder.relative_to(root)})",
        "import circles; upward imports": f"{len(rooms.circles(graph))}; {len(list(rooms.upward_imports(graph)))}",
        "imports of the project by its worst module": f"{worst[0]} ({worst[1]})",
        "comments per 1,000 lines": f"{1000 * found.comments / found.lines:.1f}",
        f"functions of {LONG_FUNCTION} lines or more with a comment": f"{commented:.0f} % of {found.long_functions}",
        '"what" per 1,000 words of docstrings': f"{1000 * found.whats / max(found.words, 1):.1f}",
        "modules whose test is found by name": f"{100 * named / max(modules, 1):.0f} % of {modules}",
    }
    if listed:
        print("\n".join(found.places), end="\n\n")
    print("| measure | value |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


def main() -> None:
    """Parse the command line and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="checkout to measure")
    parser.add_argument("--room", help="one room alone")
    parser.add_argument("--list", action="store_true", help="print the places that count")
    arguments = parser.parse_args()
    print_report(arguments.root, arguments.room, arguments.list)


if __name__ == "__main__":
    main()
