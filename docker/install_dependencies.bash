#!/usr/bin/env bash
# Make .venv in this folder, which sees the system's packages (rclpy among them), and install the pinned
# dependencies of rl_pipeline into it, but not rl_pipeline itself: a layer of its own that stays when only the sources change.
# Usage: bash install_dependencies.bash [PIP OPTIONS]
set -euo pipefail

[ -f pyproject.toml ] || { echo "error: expected pyproject.toml and constraints.txt in $PWD" >&2; exit 2; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "error: expected Python 3.11 or newer, found $(python3 --version): use ROS 2 Jazzy or a later distribution" >&2
  exit 2
}
[ -x .venv/bin/python ] || python3 -m venv --system-site-packages .venv
mapfile -t requirements < <(.venv/bin/python - <<'PYTHON'
import tomllib

with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["dependencies"], sep="\n")
PYTHON
)
.venv/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt "$@" "${requirements[@]}"
