"""A training on a task with a Dict observation: an image, vectors and a discrete value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rl_pipeline import cli
from rl_pipeline.evaluation.policy import load_policy

TASK = """
import numpy as np
from gymnasium import spaces
from rl_pipeline.envs import register_task
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.tasks.navigation import NavigationTask


class PartsTask(NavigationTask):
    image = ImageSpec(height=36, width=36)

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Dict(
            camera=spaces.Box(0, 255, self.image.shape, np.uint8),
            lidar=spaces.Box(0.0, np.inf, (30,), np.float32),
            slow=spaces.Discrete(2),
        )

    def observation(self, state):
        slow = np.abs(state.twist.linear.x) < 0.1
        return {"camera": state.image, "lidar": state.lidar.ranges.copy(), "slow": slow.astype(np.int64)}


register_task("Parts-v0", PartsTask)
"""
EXPERIMENT = """
modules: [parts_tasks_{algorithm}]
experiment: {{name: parts}}
environment: {{id: Parts{algorithm}-v0, horizon: 12, video_wrapper: false, render_mode: null}}
algorithm: {{name: {algorithm}, parameters: {parameters}}}
wrappers: {wrappers}
training: {{total_timesteps: 64, device: cpu, log_points: 2, eval: {{num_evals: 1, num_episodes: 1}}}}
evaluation: {{num_episodes: 1}}
simulation: {{n_environments: 2, ros: {{tcp_port: 0}}}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "parameters", "wrappers"),
    [
        ("ppo", "{n_steps: 16, batch_size: 16, n_epochs: 1}", "{normalize: {}, action_history: {}}"),
        ("sac", "{learning_starts: 16, batch_size: 8, buffer_size: 64}", "{clip_observations: {}}"),
    ],
)
def test_task_with_a_dict_observation_trains_resumes_and_acts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calls_command: None,
    capsys: pytest.CaptureFixture[str],
    algorithm: str,
    parameters: str,
    wrappers: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"parts_tasks_{algorithm}.py").write_text(TASK.replace("Parts-v0", f"Parts{algorithm}-v0"))
    text = EXPERIMENT.format(algorithm=algorithm, parameters=parameters, wrappers=wrappers)
    (tmp_path / "parts.yaml").write_text(text)
    assert cli.run(["train", "--config", "parts.yaml"]) == 0, capsys.readouterr().err
    assert cli.run(["resume", "parts", "training.total_timesteps=96"]) == 0, capsys.readouterr().err
    assert cli.run(["evaluate", "--experiment", "parts", "--episodes", "1", "--record-bag", "bags"]) == 0
    [folder] = (tmp_path / "experiments").rglob("parts")
    policy = load_policy(folder, num_envs=3)
    observations = [policy.observation_space.sample() for _ in range(3)]
    batch = {key: np.stack([each[key] for each in observations]) for key in observations[0]}
    assert policy.predict(batch).shape == (3, 2)
