"""Verbs of users: the example of docs/add_a_verb.md, entry points of packages, and modules that fail."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.cli.app import BUILT_IN
from rl_pipeline.cli.registration import VERBS, Verb, register_verb
from rl_pipeline.errors import InputError
from tests.support import prepared

PAGE = (Path(__file__).parents[2] / "docs" / "add_a_verb.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the first block of the page in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prepared.run(["rl-pipeline", *arguments], folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files of the page, and two experiments."""
    monkeypatch.setenv("COLUMNS", "140")
    (tmp_path / "my_verbs.py").write_text(block("python"))
    (tmp_path / "config.yml").write_text(block("yaml"))
    for name, steps in (("first", 200), ("second", 56)):
        experiment = tmp_path / "experiments" / "CartPole-v1" / "ppo" / name
        experiment.mkdir(parents=True)
        (experiment / "config.yaml").write_text("algorithm: {name: ppo}\n")
        (experiment / "metadata.json").write_text(f'{{"status": "done", "timesteps": {steps}}}')
    return tmp_path


def test_the_verb_of_the_page_runs_without_a_change_of_the_package(folder: Path) -> None:
    result = call(folder, "steps")
    assert (result.returncode, result.stdout) == (0, "ppo 256\n"), result.stderr
    assert call(folder, "steps", "--minimum", "100").stdout == "ppo 200\n"


def test_its_errors_are_those_of_other_verbs(folder: Path) -> None:
    result = call(folder, "steps", "--minimum", "1000")
    assert result.returncode == 2
    assert result.stderr == "error: experiments: expected an experiment of 1000 steps or more, found none\n"
    assert "No such option: --mini" in call(folder, "steps", "--mini").stderr


def test_help_lists_the_verb_and_shows_its_docstring(folder: Path) -> None:
    listed = call(folder, "--help").stdout
    assert re.search(r"Added verbs ─+╮\n│ steps +Sum up the steps of all experiments\. ", listed)
    shown = " ".join(call(folder, "steps", "--help").stdout.split())
    assert "Sum up the steps of all experiments, by algorithm." in shown
    assert "Fewest steps of an experiment that counts." in shown
    assert "Example: rl-pipeline steps --minimum 1000" in shown


def test_a_module_that_fails_costs_one_line_and_no_other_verb(folder: Path) -> None:
    (folder / "my_verbs.py").write_text("1 / 0\n")
    result = call(folder, "--help")
    assert result.returncode == 0
    assert "Train an agent" in result.stdout
    warnings = result.stderr.splitlines()
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: config.yml: modules: cannot import my_verbs (ZeroDivisionError")
    result = call(folder, "steps")
    assert result.returncode == 2
    assert (
        result.stderr.splitlines()[-1] == "error: No such command 'steps'. Did you mean 'sweep'? See rl-pipeline --help"
    )
    assert call(folder, "runs", "list").stderr == ""


def test_a_verb_that_cannot_be_imported_says_so_when_it_is_run(folder: Path) -> None:
    (folder / "my_verbs.py").write_text(
        "from rl_pipeline import register_verb\nX = 3\n"
        "register_verb('lost', 'my_verbs:lost')\nregister_verb('odd', 'my_verbs:X')\n"
    )
    assert "lost" in call(folder, "--help").stdout
    result = call(folder, "lost")
    assert result.returncode == 2
    assert "error: verb 'lost': cannot import my_verbs:lost" in result.stderr
    assert "expected a function or a typer.Typer in my_verbs:X, found int" in call(folder, "odd").stderr


def test_names_of_the_package_are_not_taken_over(folder: Path) -> None:
    (folder / "my_verbs.py").write_text(
        "from rl_pipeline import register_verb\nregister_verb('train', 'my_verbs:train')\n"
    )
    result = call(folder, "--help")
    assert (
        "warning: config.yml: modules: cannot import my_verbs (InputError: verb 'train' is registered" in result.stderr
    )
    with pytest.raises(InputError, match="verb 'train' is registered already"):
        register_verb("train", "elsewhere:train")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modules: {a: 1}\n", "config.yml: modules: expected a list of modules or .py files, found {'a': 1}"),
        ("modules: [a\n", "config.yml: not valid YAML"),
        ("modules: [nowhere_to_be_found]\n", "cannot import nowhere_to_be_found"),
    ],
)
def test_a_wrong_config_yml_leaves_the_help_as_it_is(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.yml").write_text(text)
    result = call(tmp_path, "--help")
    assert result.returncode == 0
    assert message in result.stderr
    assert "benchmark" in result.stdout


def test_installed_packages_add_verbs_by_entry_points(tmp_path: Path) -> None:
    # A folder on Python's path with the metadata that an installation leaves.
    package = tmp_path / "my_package.py"
    package.write_text(
        'import typer\n\n\ndef greet(name: str = "you") -> None:\n    """Greet."""\n    typer.echo(f"hi {name}")\n'
    )
    metadata = tmp_path / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[rl_pipeline.verbs]\ngreet = my_package:greet\nbroken = no_such_module:verb\nplay = my_package:greet\n"
    )

    def call_with_package(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.path.append({str(tmp_path)!r}); from rl_pipeline.cli import main; main()"
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    listed = call_with_package("--help")
    assert "Verb of the package my-package." in listed.stdout
    assert listed.stderr.startswith("warning: package my-package: verb 'play' is registered already")
    assert call_with_package("greet", "--name", "Ada").stdout == "hi Ada\n"
    broken = call_with_package("broken")
    assert broken.returncode == 2
    assert "error: verb 'broken': cannot import no_such_module:verb" in broken.stderr


@pytest.mark.parametrize("name", [name for verbs in BUILT_IN.values() for name in verbs])
def test_the_help_of_the_list_is_the_first_paragraph_of_the_verb(name: str) -> None:
    verb: Verb = VERBS[name]
    first = inspect.cleandoc(verb.command().help).split("\n\n")[0]
    assert " ".join(first.split()) == verb.help
