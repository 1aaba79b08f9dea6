"""Every pin of constraints.txt installs on each supported Python, by the table that `python tools/pins.py` writes."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
BUILT_FROM_SOURCE = {"antlr4-python3-runtime", "empy"}
"""Packages of plain Python without wheels; pip builds them without a compiler."""

spec = importlib.util.spec_from_file_location("pins", ROOT / "tools" / "pins.py")
pins = sys.modules["pins"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pins)

TABLE = pins.read_table(pins.TABLE)


def test_table_lists_the_pins_of_the_constraints():
    assert [pin.name for pin in TABLE] == pins.read_pins(ROOT / "constraints.txt"), "run: python tools/pins.py"


@pytest.mark.parametrize("python", pins.PYTHONS)
def test_no_pin_refuses_a_supported_python(python):
    assert [pin.name for pin in TABLE if python not in SpecifierSet(pin.requires_python)] == []


@pytest.mark.parametrize(("index", "python"), list(enumerate(pins.PYTHONS)))
def test_every_pin_has_a_wheel_or_needs_no_compiler(index, python):
    without = {pin.name.partition("==")[0] for pin in TABLE if not pin.wheels[index]}
    assert without - BUILT_FROM_SOURCE == set()


def test_table_agrees_with_installed_packages():
    for pin in TABLE:
        name, _, version = pin.name.partition("==")
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if metadata["Version"].partition("+")[0] == version and all(pin.wheels):
            assert SpecifierSet(metadata.get("Requires-Python") or "") == SpecifierSet(pin.requires_python), pin.name
