#!/usr/bin/env bash
# Run the node that config.yml names (ros.package_name, ros.node_name): as shipped, train the navigation agent on
# parallel simulators and leave model, videos and curves under experiments/. The first run installs everything.
# With ROS 2 it is a ROS node, which takes ROS arguments after the others.
# Usage: bash launch_node.bash [OVERRIDES] [--ros-args ...], such as: bash launch_node.bash training.total_timesteps=20000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash install.bash
if [ -n "${ROS_DISTRO:-}" ] && [ -f ros_ws/install/setup.bash ]; then
  set +u
  . ros_ws/install/setup.bash
  set -u
fi
exec .venv/bin/python -m rl_pipeline.cli.nodes.launch_node "$@"
