#!/usr/bin/env bash
# Run all checks and tests on a bare machine: install everything when run first, then style, types, fast and slow tests.
# Usage: bash launch_tests.bash [PYTEST ARGUMENTS]; with arguments, only these tests: bash launch_tests.bash tests/config
# tools/checks.bash has the single checks; this script needs no make.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash tools/checks.bash install
if [ $# -gt 0 ]; then
  exec bash tools/checks.bash pytest "$@"
fi
exec bash tools/checks.bash lint format tests
