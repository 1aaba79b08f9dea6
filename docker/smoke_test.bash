#!/usr/bin/env bash
# Smoke test of an installation: print the abilities of this machine, check the environment on a real player, and train,
# evaluate and film an agent for a moment. Leaves no files behind; ends with "all is well", or with the first error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
experiments=$(mktemp -d)
trap 'rm -rf "$experiments"' EXIT

rl_pipeline() { .venv/bin/python -m rl_pipeline.cli "$@"; }

# Players of its own, regardless of config.yml, on any free port.
players=(n_environments=2 worlds_per_player=1 ros.tcp_port=0 backend=direct unity.launch=true unity.build_path=embedded)
rl_pipeline doctor
rl_pipeline check rl_pipeline/Navigation-v0
rl_pipeline train --config-name navigation_ppo experiment.name=smoke experiment.directory="$experiments" "${players[@]}" \
  training.total_timesteps=128 algorithm.parameters.n_steps=64 algorithm.parameters.batch_size=64 \
  environment.horizon=20 environment.video_wrapper=false training.log_points=1 training.eval.num_evals=0 \
  evaluation.num_episodes=1
for file in best_model.zip videos/final.mp4; do
  [ -s "$experiments/Navigation-v0/ppo/smoke/$file" ] || { echo "error: the training left no $file" >&2; exit 1; }
done
if .venv/bin/python -c 'import rclpy' 2>/dev/null; then
  .venv/bin/python -c 'from interfaces_pkg.srv import NavigationStep' ||
    { echo "error: ROS is here, and its workspace is not built: bash ros_ws/build.bash, then . docker/environment.bash" >&2; exit 1; }
fi
echo "all is well"
