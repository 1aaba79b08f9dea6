"""A ROS domain of this test session's own, and a trained policy to deploy."""

import os

import pytest

from tests.support import prepared

# Below the domains whose ports other programs are given by the kernel.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

TINY = [
    "n_environments=2",
    "ros.tcp_port=0",
    "training.total_timesteps=128",
    "training.eval.num_evals=1",
    "training.eval.num_episodes=1",
    "environment.horizon=20",
    "environment.video_wrapper=false",
    "environment.render_mode=null",
    "algorithm.parameters.n_steps=64",
    "algorithm.parameters.batch_size=64",
    "evaluation.num_episodes=1",
    "wrappers=normalize",
]
"""A training of a second on two players."""


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """A folder with the experiment `tiny`, a policy that has hardly learned anything."""
    folder = tmp_path_factory.mktemp("workplace")
    command = ["rl-pipeline", "train", "--config-name", "navigation_ppo", "experiment.name=tiny", *TINY]
    prepared.run(command, folder).check_returncode()
    return folder
