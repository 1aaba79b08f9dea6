#!/usr/bin/env bash
# Start the players of config.yml on this machine, for a trainer that runs in a container or elsewhere and waits for
# them (unity.launch: false). Ctrl-C ends them all. Needs Python 3.9 or newer, but no installation of the project.
# Usage: bash launch_unity_simulation.bash [OVERRIDES], such as: bash launch_unity_simulation.bash n_environments=8
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
  echo "error: $*" >&2
  exit 2
}

# Use the Python of the installed project; without one, make a small environment that has PyYAML only.
for python in .venv/bin/python .venv-players/bin/python; do
  if "$python" -c "import yaml" 2>/dev/null; then
    exec "$python" -m rl_pipeline.simulation.standalone.launcher "$@"
  fi
done
command -v python3 >/dev/null || fail "no Python was found; on Debian or Ubuntu: apt install python3 python3-venv"
python3 -c "import sys; sys.exit(sys.version_info < (3, 9))" || fail "Python 3.9 or newer is needed, found $(python3 --version)"
echo "Making .venv-players with PyYAML (once)"
python3 -m venv --clear .venv-players || fail "python3 has no venv; on Debian or Ubuntu: apt install python3-venv"
.venv-players/bin/python -m pip install --quiet --disable-pip-version-check pyyaml || fail "pip could not install PyYAML"
exec .venv-players/bin/python -m rl_pipeline.simulation.standalone.launcher "$@"
