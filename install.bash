#!/usr/bin/env bash
# Make .venv and install this project into it, pinned by constraints.txt; does nothing when that is done already.
# Usage: bash install.bash [EXTRAS], such as: bash install.bash dev
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

# What is installed is what these files and the extras said; .venv/installed remembers it, one line an installation.
wanted="$extras $(cat pyproject.toml constraints.txt | cksum) $PWD"
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
  "$python" -m venv .venv
fi
echo "Installing rl_pipeline${extras:+ with $extras} into .venv (once; a few minutes)"
.venv/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable ".${extras:+[$extras]}" |
  grep -v -e '^Requirement already satisfied' -e '^Looking in' || fail "pip could not install the dependencies"
echo "$wanted" >>.venv/installed
