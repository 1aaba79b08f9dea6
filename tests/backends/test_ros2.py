"""With ros.backend=ros2, environments are what they are with `direct`, by way of ROS services."""

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.ros.session import RosSession
from rl_pipeline.simulation.simulation import PlayerError, Simulation
from rl_pipeline.tasks.navigation import NavigationTask

pytestmark = pytest.mark.slow

N = 4


def simulation(folder, backend, *, launch=True, connect_timeout=30.0):
    config = {
        "n_environments": N,
        "backend": backend,
        "ros": {"tcp_port": 0, "launch_endpoint": launch},
        "unity": {"connect_timeout": connect_timeout, "step_timeout": 10.0, "launch": launch},
    }
    return Simulation(SimulationConfig.model_validate(config), "navigation", folder)


def transitions(folder, backend, steps):
    """Observations, rewards, ends and players' process ids of steps with the same actions."""
    generator = np.random.default_rng(0)
    with simulation(folder, backend) as players:
        env = PlayerVectorEnv(NavigationTask(), players, N, BatchSettings(horizon=60), seed=3)
        taken = [env.reset()[0]]
        for _ in range(steps):
            taken += env.step(generator.uniform(-1, 1, (N, 2)).astype(np.float32))[:4]
        return taken


def test_a_thousand_transitions_equal_those_of_direct(tmp_path):
    direct, ros2 = (transitions(tmp_path / backend, backend, 1000 // N) for backend in ("direct", "ros2"))
    assert len(direct) == len(ros2)
    assert all(np.array_equal(one, other) for one, other in zip(direct, ros2, strict=True))


def test_simulations_of_one_process_are_nodes_of_different_names(tmp_path):
    with (
        RosSession("bystander") as bystander,
        simulation(tmp_path, "ros2", launch=False),
        simulation(tmp_path, "ros2", launch=False),
    ):

        def names():
            return [name for name in bystander.node.get_node_names() if name.startswith("rl_pipeline")]

        assert bystander.spin_until(lambda: len(names()) == 2, 10)
        assert len(set(names())) == 2


def test_a_player_that_dies_is_replaced_and_its_episode_truncated(tmp_path):
    with simulation(tmp_path, "ros2") as players:
        env = PlayerVectorEnv(NavigationTask(), players, N, seed=3)
        env.reset()
        actions = np.zeros((N, 2), np.float32)
        env.step(actions)
        lost = players.processes[2]
        lost.stop(timeout=0)
        truncated, info = env.step(actions)[3:]
        assert truncated.tolist() == [False, False, True, False]
        assert info["final_info"]["player_lost"].tolist() == [False, False, True, False]
        assert players.processes[2].pid != lost.pid
        assert not env.step(actions)[3].any()


def test_a_domain_without_players_names_what_is_seen_there(tmp_path):
    with RosSession("bystander") as bystander:
        from std_srvs.srv import SetBool

        bystander.node.create_service(SetBool, "/something/else", lambda request, response: response)
        players = simulation(tmp_path, "ros2", launch=False, connect_timeout=1.5)
        with players, pytest.raises(PlayerError) as error:
            players.start(1)
    message = str(error.value)
    assert "did not offer /navigation_0/reset and .../step within 1.5 s" in message
    assert "offered are: /something/else" in message
    assert "ROS domain" in message
    assert "bystander" in message


def test_an_endpoint_that_ends_is_told_with_its_log(tmp_path):
    with simulation(tmp_path, "ros2") as players:
        players.start(1)
        players.backend._endpoint._process.stop(timeout=0)
        with pytest.raises(InputError, match="the endpoint was killed by SIGKILL"):
            players.start(1)


def test_players_of_another_run_are_not_taken_for_ones_own(tmp_path):
    from std_srvs.srv import SetBool

    with RosSession("other_run") as other:
        other.node.create_service(SetBool, "/navigation_0/step", lambda request, response: response)
        players = simulation(tmp_path, "ros2")
        with players, pytest.raises(InputError, match=r"/navigation_0/step: somebody offers it already"):
            players.start(1)
