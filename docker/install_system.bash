#!/usr/bin/env bash
# Install the packages of Ubuntu that rl_pipeline needs, as root: Python's venv, GL to draw frames with (EGL on a GPU, Mesa on the
# CPU), and the X libraries of MuJoCo's window. Usage: bash install_system.bash [APT-GET OPTIONS]
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

packages=(
  git python3-dev python3-venv
  libegl1 libgl1 libgl1-mesa-dri libosmesa6
  libx11-6 libxcursor1 libxi6 libxinerama1 libxrandr2
)
apt-get update
apt-get install --yes --no-install-recommends "$@" "${packages[@]}"
rm -rf /var/lib/apt/lists/*
