"""Records of experiments, read from their folders without starting anything."""

from __future__ import annotations

import fnmatch
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rl_pipeline.config.keys import canonical
from rl_pipeline.config.origins import Key, dotted
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments

INCIDENTAL: Final = (
    "experiment",
    "loggers",
    "wandb_run",
    "play",
    "training.seed",
    "training.eval.seed",
    "simulation.ros.tcp_port",
)
"""Settings, or sections of them, by which repetitions of one experiment may differ."""


@dataclass(frozen=True)
class ExperimentRecord:
    """Configuration, metadata and evaluation of one run.

    Attributes:
        folder: the experiment folder.
        settings: the whole configuration, flat: `training.seed` to its value.
        facts: of metadata.json: status, start, timesteps, versions; empty when the file cannot be read.
        evaluation: of evaluation.json: the figures of the best model; None before the run's end.
    """

    folder: ExperimentFolder
    settings: dict[str, Any]
    facts: dict[str, Any]
    evaluation: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.path.name

    @property
    def status(self) -> str:
        """`running`, `done`, `interrupted`, `failed`, or `unknown` when the folder does not say."""
        return str(self.facts.get("status", "unknown"))

    @property
    def repeated(self) -> tuple[tuple[str, str], ...]:
        """The settings that repetitions of this run share: equal for runs that differ by seed and name alone."""
        return tuple((key, repr(value)) for key, value in sorted(self.settings.items()) if not is_incidental(key))

    def size(self) -> int:
        """Bytes of all files of the folder."""
        return sum(file.lstat().st_size for file in self.folder.path.rglob("*") if file.is_file())

    def remove(self) -> None:
        """Delete the folder, and those above it that have become empty. Raises `InputError` when it cannot be."""
        path = self.folder.path.resolve()
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise InputError(f"cannot remove {path}: {error.strerror}") from error
        for parent in (path.parent, path.parent.parent):
            try:
                parent.rmdir()
            except OSError:
                return


def read_record(folder: ExperimentFolder) -> ExperimentRecord:
    """Read a folder; damaged or missing files are left out, so that other runs are listed all the same."""
    return ExperimentRecord(
        folder, dict(_flat(_read(folder.config))), _read(folder.metadata), _read(folder.evaluation) or None
    )


def find_records(patterns: Sequence[str], directory: Path) -> list[ExperimentRecord]:
    """Find the experiments that the patterns name, each once, in the order of the patterns, newest first.

    Args:
        patterns: folders, names under `directory`, or patterns of names such as `navigation_*`; none: all there are.
        directory: folder of the experiments.

    Raises:
        InputError: a pattern names nothing.
    """
    existing = existing_experiments(directory)
    if not patterns:
        return [read_record(folder) for folder in existing]
    # By resolved path, so that two patterns do not list one run twice.
    found: dict[Path, ExperimentFolder] = {}
    for pattern in patterns:
        if (Path(pattern) / "config.yaml").is_file():
            matching = [ExperimentFolder(Path(pattern))]
        else:
            matching = [folder for folder in existing if _matches(folder.path, pattern)]
        if not matching:
            names = {folder.path.name for folder in existing}
            if not names:
                raise InputError(f"no experiment {pattern!r} in {directory}: there is none at all yet")
            raise UnknownNameError("experiment", pattern, names, where=str(directory))
        found.update((folder.path.resolve(), folder) for folder in matching)
    return [read_record(folder) for folder in found.values()]


def differing_settings(records: Sequence[ExperimentRecord]) -> dict[str, list[Any]]:
    """Return the settings that differ: key to one value for each record, None where it has none."""
    keys = {key: None for record in records for key in record.settings}
    rows = {key: [record.settings.get(key) for record in records] for key in keys}
    return {key: values for key, values in rows.items() if any(value != values[0] for value in values)}


def setting_text(value: Any) -> str:
    """Return a setting as YAML writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _matches(path: Path, pattern: str) -> bool:
    """Return True if the pattern fits the folder's name, or the end of its path."""
    depth = pattern.rstrip("/").count("/") + 1
    return str(path) == pattern or fnmatch.fnmatchcase("/".join(path.parts[-depth:]), pattern.rstrip("/"))


def is_incidental(key: str) -> bool:
    """Return True if repetitions of one experiment may differ by this setting."""
    return any(key == name or key.startswith(f"{name}.") for name in INCIDENTAL)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _flat(settings: dict[str, Any], prefix: Key = ()) -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, (*prefix, key))
        else:
            # Runs of before a key was moved are compared under its name of today.
            yield dotted(canonical((*prefix, key))), value
