#!/usr/bin/env bash
# Make a new dev container ready: development tools, the ROS workspace of this checkout, and a smoke test.
set -eo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash install.bash dev
bash ros_ws/build.bash
# shellcheck source=docker/environment.bash
. docker/environment.bash
bash docker/smoke_test.bash
