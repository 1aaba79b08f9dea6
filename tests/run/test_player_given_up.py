"""A player that cannot be brought back ends the run with one error, and with everything saved."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Works when it is started the first time, and fails at its start from then on; it dies after 300 steps.
FLAKY = """if [ -e "$0.${10}" ]; then echo "no licence left" >&2; exit 3; fi; touch "$0.${10}"
sed 's/^import socket/import socket, sys/; s/^def respond.*/&\\n    if clock > 30: sys.exit("crashed")/' \
{handmade} > "$0.$$.py"; exec {python} "$0.$$.py" "$@" """
SHORT = [
    *("experiment.name=run", "environment.video_wrapper=false", "environment.render_mode=null", "ros.tcp_port=0"),
    *("training.eval.num_evals=0", "training.log_points=0", "algorithm=sac_navigation", "n_environments=2"),
    *("algorithm.parameters.learning_starts=100000", "unity.max_lifetime_restarts=2"),
]


@pytest.mark.slow
def test_player_over_its_quota_ends_the_run_with_one_error_and_everything_saved(build, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rl_pipeline.cli", "train", "--config-name", "navigation_sac", *SHORT]
    done = subprocess.run(
        [*command, f"unity.build_path={build(FLAKY)}"],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "it was restarted 2 times, all that unity.max_lifetime_restarts allows" in error
    assert "no licence left" in done.stderr.partition("error:")[2]
    assert "Traceback" not in done.stderr
    (folder,) = (tmp_path / "experiments").glob("*/*/run")
    for name in ("model.zip", "replay_buffer.pkl", "curves.png", "episodes.csv", "config.yaml"):
        assert (folder / name).stat().st_size > 0, name
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["status"] == "failed"
    assert "max_lifetime_restarts" in metadata["error"]
    assert f"rl-pipeline resume {folder.relative_to(tmp_path)}" in done.stderr
