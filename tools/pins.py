"""Check every pin of constraints.txt against the supported Pythons, and write the table that the tests read.

Asks the package index for metadata only; nothing is downloaded or installed. Ends with code 1 when a pin refuses a
supported Python, or has no wheel for one and is not known to build without a compiler.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests" / "packaging" / "pins.csv"
PYTHONS = ("3.11.2", "3.12.0", "3.13.0")
"""Oldest patch release of each supported Python that a distribution ships: Debian 12 has 3.11.2."""
NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")


@dataclass(frozen=True)
class Pin:
    """One line of the table.

    Attributes:
        name: Name and version, such as `numpy==2.4.6`.
        requires_python: The package's own condition on the Python version; empty for none or unknown.
        wheels: For each of `PYTHONS`, whether the index has a wheel for Linux on x86-64.
    """

    name: str
    requires_python: str
    wheels: tuple[bool, ...]


def read_pins(constraints: Path) -> list[str]:
    """Return the pins of a constraints file in their order."""
    lines = (line.split("#")[0].strip() for line in constraints.read_text().splitlines())
    return [line for line in lines if line]


def write_table(pins: Iterable[Pin], path: Path) -> None:
    """Write one row for each pin."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["pin", "requires_python", *PYTHONS])
        for pin in pins:
            writer.writerow([pin.name, pin.requires_python, *("wheel" if found else "" for found in pin.wheels)])


def read_table(path: Path) -> list[Pin]:
    """Read the table of `write_table`."""
    with path.open(newline="") as file:
        _, *rows = csv.reader(file)
    return [Pin(name, requires, tuple(cell == "wheel" for cell in wheels)) for name, requires, *wheels in rows]


def find_wheels(pins: list[str], python: str) -> dict[str, str]:
    """Return the Requires-Python of every pin that has a wheel for this Python.

    A pin without one makes pip give up on all, so it is left out and pip asked again.
    """
    wanted = list(pins)
    # One tag for each glibc from that of CentOS 7 to that of Debian 12.
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(17, 37)]
    platforms += ["--platform=manylinux2014_x86_64", "--platform=manylinux2010_x86_64", "--platform=manylinux1_x86_64"]
    with tempfile.TemporaryDirectory() as folder:
        requirements, report = Path(folder, "requirements.txt"), Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed"]
        command += ["--only-binary=:all:", f"--python-version={python}", *platforms, f"--target={folder}"]
        command += [f"--report={report}", f"--requirement={requirements}"]
        while True:
            requirements.write_text("\n".join(wanted))
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode == 0:
                break
            missing = NO_WHEEL.search(done.stderr)
            if missing is None:
                raise SystemExit(f"error: pip could not ask the package index:\n{done.stderr}")
            wanted.remove(missing[1])
        installs = json.loads(report.read_text())["install"]
    metadata = [install["metadata"] for install in installs]
    requires = {normalize(f"{item['name']}=={item['version']}"): item.get("requires_python", "") for item in metadata}
    return {pin: requires[normalize(pin)] for pin in wanted}


def normalize(pin: str) -> str:
    """Return a pin with its name as package indexes compare it, without the local part of its version (`+cpu`)."""
    name, _, version = pin.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version.partition('+')[0]}"


def main() -> None:
    """Write the table and name the pins that fail."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python tools/pins.py")
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write (default: the one of the tests)")
    arguments = parser.parse_args()

    pins = read_pins(ROOT / "constraints.txt")
    found = [find_wheels(pins, python) for python in track(PYTHONS, "Asking the package index")]
    requires = {pin: condition for wheels in found for pin, condition in wheels.items()}
    table = [Pin(pin, requires.get(pin, ""), tuple(pin in wheels for wheels in found)) for pin in pins]
    write_table(table, arguments.table)

    without = [pin for pin in table if not all(pin.wheels)]
    print(f"{len(table)} pins, {len(table) - len(without)} with a wheel for each of Python {', '.join(PYTHONS)}")
    for pin in without:
        missing = [python for python, wheel in zip(PYTHONS, pin.wheels, strict=True) if not wheel]
        print(f"no wheel of {pin.name} for Python {', '.join(missing)}")


if __name__ == "__main__":
    main()
