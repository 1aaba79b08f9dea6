#!/usr/bin/env bash
# Serve players in place of Unity's ros_tcp_endpoint and connect them to the ROS 2 graph. Address and port are those of
# config.yml (ros.tcp_ip, ros.tcp_port), or one port for each environment (ros.one_port_per_environment).
# Usage: bash launch_ros_tcp_endpoint.bash [--stats] [OVERRIDES] [--ros-args -p ROS_IP:=0.0.0.0 -p ROS_TCP_PORT:=10001]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash install.bash
exec .venv/bin/python -m rl_pipeline.cli endpoint --ros2 "$@"
