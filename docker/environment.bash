# shellcheck shell=bash
# To be sourced: ROS 2, the built workspace and .venv, as far as they are there.
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for _setup in "/opt/ros/${ROS_DISTRO:-}/setup.bash" "$_root/ros_ws/install/local_setup.bash" "$_root/.venv/bin/activate"; do
  if [ -f "$_setup" ]; then . "$_setup"; fi
done
unset _root _setup
