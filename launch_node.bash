#!/usr/bin/env bash
# Run the node that config.yml names (ros.package_name, ros.node_name): as shipped, train the navigation agent on
# parallel simulators and leave model, videos and curves under experiments/. Sets everything up when run first.
# Usage: bash launch_node.bash [OVERRIDES], such as: bash launch_node.bash training.total_timesteps=20000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash install.bash
exec .venv/bin/python -m rl_pipeline.run.node "$@"
