#!/usr/bin/env bash
# Build the ROS 2 workspace: the interfaces and nodes of ros_ws/src. With ROS from apt, as in the container, into
# ros_ws/install; with ROS from pip (bash install.bash ros) into .venv, where nothing has to be sourced, together with
# the packages that have no wheels (ros_ws/pip).
# Usage: bash ros_ws/build.bash [COLCON ARGUMENTS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
venv=$(cd .. && pwd)/.venv

fail() {
  echo "error: $*" >&2
  exit 2
}

[ -x "$venv/bin/python" ] || fail "there is no .venv: run bash install.bash first"
if [ -z "${ROS_DISTRO:-}" ] && [ "$(ls /opt/ros 2>/dev/null | wc -w)" = 1 ]; then ROS_DISTRO=$(ls /opt/ros); fi
if [ -f "/opt/ros/${ROS_DISTRO:-}/setup.bash" ]; then
  set +u
  . "/opt/ros/$ROS_DISTRO/setup.bash"
  set -u
  together=()
  into=(--install-base install --base-paths src)
elif "$venv/bin/python" -c 'import rclpy' 2>/dev/null; then
  command -v c++ >/dev/null || fail "no C++ compiler was found; on Debian or Ubuntu: apt install g++"
  include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
  [ -f "$include/Python.h" ] || fail "no $include/Python.h was found; on Debian or Ubuntu: apt install python3-dev"
  # The wheels name the include folders of the machine that they were built on.
  numpy=$("$venv/bin/python" -c 'import numpy; print(numpy.get_include())')
  { grep -rlF /opt/python/ "$venv"/share/*/cmake || true; } | xargs -r sed -i -E \
    -e "s#/opt/python/[^/;\"]+/include/python3\.[0-9]+#$include#g" \
    -e "s#/opt/python/[^/;\"]+/lib/python3\.[0-9]+/site-packages/numpy/_core/include#$numpy#g"
  export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv PATH=$venv/bin:$PATH
  export CMAKE_GENERATOR=Ninja
  # Generated code of several messages is compiled together, as nearly all of the time is for the same headers.
  together=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0)
  into=(--merge-install --install-base "$venv" --base-paths src pip)
else
  fail "no ROS 2 was found${ROS_DISTRO:+ (ROS_DISTRO is $ROS_DISTRO, and there is no /opt/ros/$ROS_DISTRO)};" \
    "install it into .venv: bash install.bash ros"
fi
# All cores, also busy ones: colcon's own limit on the load leaves one when a test run has just ended.
export MAKEFLAGS=${MAKEFLAGS:--j$(nproc)}
# With this Python, so that the nodes run with the packages of .venv.
"$venv/bin/python" -m colcon --log-base log build "${into[@]}" --build-base build "$@" \
  --cmake-args -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Release -DPython3_EXECUTABLE="$venv/bin/python" "${together[@]}"
