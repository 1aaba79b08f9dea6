#!/usr/bin/env bash
# Run a command of the container with ROS, the workspace and .venv on its paths.
# shellcheck source=docker/environment.bash
. "$(dirname "${BASH_SOURCE[0]}")/environment.bash"
exec "$@"
