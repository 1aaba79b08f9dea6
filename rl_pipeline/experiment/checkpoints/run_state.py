"""The state of a run as one file: named parts, each a flat mapping of arrays and JSON values. Nothing is unpickled.

The file is a zip with `<part>.json` and `<part>/<key>.npy` for each part; NumPy and any JSON reader open it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import whole_file

FORMAT = 1
"""Version of the parts' meaning; a file of a higher one was written by a newer version of this package."""

State = dict[str, Any]
"""Arrays and JSON values by name."""

_FORMAT_MEMBER = "format.json"
_DAMAGES = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@runtime_checkable
class Stateful(Protocol):
    """Part of a run that a checkpoint restores."""

    def state_dict(self) -> State:
        """Return arrays and JSON values that `load_state_dict` restores the part from."""
        ...

    def load_state_dict(self, state: State) -> None:
        """Restore the part. Raises `InputError` when the state does not fit."""
        ...


class NewerFormatError(InputError):
    """Error for a file of a newer version of this package; an older file of the folder does not replace it."""


def write_states(path: Path, parts: Mapping[str, Stateful]) -> None:
    """Write the state of every part atomically. Raises `InputError` when the disk is full."""
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_FORMAT_MEMBER, json.dumps({"format": FORMAT}))
        for name, part in parts.items():
            state = part.state_dict()
            arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
            values = {key: value for key, value in state.items() if key not in arrays}
            archive.writestr(f"{name}.json", json.dumps(values))
            for key, array in arrays.items():
                with archive.open(f"{name}/{key}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


def read_states(path: Path) -> dict[str, State]:
    """Read the state of every part.

    Raises `NewerFormatError` when a newer version wrote it, `InputError` when it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            written = json.loads(archive.read(_FORMAT_MEMBER))["format"]
            if written > FORMAT:
                raise NewerFormatError(
                    f"{path} was written by a newer version of rl_pipeline (format {written}, known up to {FORMAT}): "
                    "install that version to resume it"
                )
            # `part.json` has the values of a part, `part/key.npy` one array of it.
            states: dict[str, State] = {}
            for member in archive.namelist():
                if member == _FORMAT_MEMBER:
                    continue
                part, _, key = member.partition("/")
                if key:
                    states.setdefault(part, {})[key.removesuffix(".npy")] = _array(archive, member)
                else:
                    states.setdefault(part.removesuffix(".json"), {}).update(json.loads(archive.read(member)))
            return states
    except _DAMAGES as error:
        raise InputError(f"{path} is damaged: {error}") from error


def _array(archive: zipfile.ZipFile, member: str) -> NDArray[Any]:
    with archive.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(cast("Any", file), allow_pickle=False)
        file.read()  # to its end, where the checksum is compared
    return array
