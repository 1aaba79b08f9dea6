#!/usr/bin/env bash
# Run all checks and tests: style, types, fast tests, slow tests. Sets everything up when run first.
# Usage: bash launch_tests.bash [PYTEST ARGUMENTS]; with arguments, only these tests: bash launch_tests.bash tests/config
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash install.bash dev
if [ $# -gt 0 ]; then
  exec .venv/bin/python -m pytest "$@"
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
exec .venv/bin/python -m pytest --durations=10
