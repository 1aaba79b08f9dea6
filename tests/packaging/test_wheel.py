"""The built wheel holds every file that the package reads at run time."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USE = """
import sys
sys.path.insert(0, sys.argv[1])
import rl_pipeline
assert rl_pipeline.__file__.startswith(sys.argv[1]), rl_pipeline.__file__
from rl_pipeline.config import load_config
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.transport.batch_io import is_compiled
print(is_compiled(), load_config("navigation_ppo").algorithm.name)
print(load_interfaces().service("interfaces_pkg/NavigationStep").name)
"""


@pytest.mark.parametrize("compiler", ["cc", "no-such-compiler"])
def test_wheel_brings_configurations_interfaces_and_what_is_compiled(tmp_path, compiler):
    compiled = shutil.which(compiler) is not None
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", tmp_path, ROOT], check=True, timeout=250, env=os.environ | {"CC": compiler})
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-none-any.whl") is not compiled
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        names = archive.namelist()
        assert not [name for name in names if name.startswith("tests")]
        assert "rl_pipeline/py.typed" in names, "type checkers read no annotations without it (PEP 561)"
    command = [sys.executable, "-c", USE, str(tmp_path / "site")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [str(compiled), "ppo", "interfaces_pkg/NavigationStep"], done.stderr
