"""Episodes as ROS 2 bags, read by rosbags' own reader."""

import io
import itertools
import os
import signal
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from rosbags.highlevel import AnyReader

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.evaluate import evaluate
from rl_pipeline.experiment.recording.bag_messages import state_messages
from rl_pipeline.experiment.recording.bags import BEGINNING, recorded
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.types import Struct
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask

STEPS, PERIOD = 6, 100_000_000
STATES = {"/clock", "/state", "/tf", "/odom", "/target", "/scan", "/observation", "/camera/image_raw/compressed"}
ACTIONS = {"/action", "/reward", "/terminated", "/truncated", "/info/is_success", "/info/distance", "/info/health"}


def read(bag):
    """Stamps and messages of each topic, in their order."""
    topics = defaultdict(list)
    with AnyReader([bag]) as reader:
        for connection, stamp, raw in reader.messages():
            topics[connection.topic].append((stamp, reader.deserialize(raw, connection.msgtype)))
    return topics


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bags of three episodes of six steps, on two players, of random actions."""
    path = tmp_path_factory.mktemp("bags") / "new" / "bags"
    config = Config.model_validate(
        {
            "environment": {"horizon": STEPS},
            "simulation": {"n_environments": 2, "ros": {"tcp_port": 0}},
            "algorithm": {"name": "ppo"},
        }
    )
    console = Console(file=io.StringIO())
    evaluate(
        config, experiments=[], models=[], agent="random", overrides=[], episodes=3, seed=7, json_file=None,
        csv_file=None, monitor=False, record_bag=path, console=console,
    )  # fmt: skip
    assert str(path) in console.file.getvalue().replace("\n", "")
    return path


@pytest.fixture(scope="module")
def episode(folder):
    return read(folder / "episode_1")


def test_each_episode_is_a_bag_and_nothing_else_is_left(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["episode_0", "episode_1", "episode_2"]
    assert sorted(path.name for path in (folder / "episode_2").iterdir()) == ["episode_2.mcap", "metadata.yaml"]
    custom = (folder / "episode_2" / "metadata.yaml").read_text().partition("custom_data:")[2][:120]
    assert "agent: random agent" in custom
    assert "episode: '2'" in custom


def test_states_and_actions_are_counted_and_stamped_in_simulated_time(episode):
    assert episode.keys() == STATES | ACTIONS
    for topic, messages in episode.items():
        first = 1 if topic in ACTIONS - {"/action"} else 0
        expected = [BEGINNING + PERIOD * step for step in range(first, first + STEPS + (topic in STATES))]
        assert [stamp for stamp, _ in messages] == pytest.approx(expected, abs=10), topic


def test_headers_carry_the_stamps_of_the_bag(episode):
    for topic in ("/odom", "/target", "/scan", "/camera/image_raw/compressed"):
        for stamp, message in episode[topic]:
            assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp
    assert all(message.clock.sec * 10**9 + message.clock.nanosec == stamp for stamp, message in episode["/clock"])


def test_standard_messages_tell_what_the_state_tells(episode):
    rows = zip(*(episode[topic] for topic in ("/state", "/odom", "/scan", "/tf")), strict=True)
    for (_, state), (_, odometry), (_, scan), (_, transforms) in rows:
        assert odometry.pose.pose == state.pose
        assert odometry.twist.twist == state.twist
        assert (odometry.header.frame_id, odometry.child_frame_id) == ("map", "base_link")
        hit = np.isfinite(scan.ranges)
        assert np.array_equal(scan.ranges[hit], state.lidar.ranges[hit])
        assert (state.lidar.ranges[~hit] == state.lidar.range_max).all()
        assert np.array_equal(scan.intensities, state.lidar.tags)
        frames = {transform.child_frame_id: transform.transform for transform in transforms.transforms}
        assert frames.keys() == {"base_link", "target"}
        assert frames["base_link"].translation.x == state.pose.position.x


def test_images_are_frames_of_the_episode(episode):
    pictures = [
        Image.open(io.BytesIO(message.data.tobytes())) for _, message in episode["/camera/image_raw/compressed"]
    ]
    assert {(picture.format, picture.size) for picture in pictures} == {("JPEG", (640, 480))}
    assert len({picture.tobytes() for picture in pictures}) > 1


def test_last_state_is_that_of_the_episode_and_not_of_the_next(episode):
    assert [message.data for _, message in episode["/truncated"]] == [False] * (STEPS - 1) + [True]
    states = [message for _, message in episode["/state"]]
    moved = [abs(b.pose.position.x - a.pose.position.x) for a, b in itertools.pairwise(states)]
    assert max(moved) < 0.2
    assert states[0].target == states[-1].target


def test_bodies_inside_a_state_have_frames_and_topics_of_their_own():
    navigation = load_interfaces().message("interfaces_pkg/NavigationState")
    values = navigation.decode(navigation.encode({"lidar.ranges": [1.0], "pose.position.x": 2.0}))
    duel = Struct("pkg/Duel", {"red": navigation.struct, "in_sight": navigation.struct.fields["health"]})
    messages = {message.topic: message for message in state_messages(duel, {"red": values, "in_sight": 1.0}, 10**9)}
    assert messages.keys() == {"/clock", "/state", "/tf", "/red/odom", "/red/target", "/red/scan"}
    frames = [transform["child_frame_id"] for transform in messages["/tf"].values["transforms"]]
    assert frames == ["red/base_link", "red/target"]
    assert messages["/red/scan"].values["header"]["frame_id"] == "red/base_link"


def test_episode_that_does_not_end_leaves_nothing(settings, tmp_path):
    with Simulation(settings(), "navigation", tmp_path / "logs") as simulation:
        venv = PlayerVecEnv(PlayerVectorEnv(NavigationTask(), simulation, 1))
        with recorded(venv, tmp_path / "bags", 1):
            venv.reset()
            venv.step(np.zeros((1, 2), np.float32))
            assert list((tmp_path / "bags").iterdir())
        assert list((tmp_path / "bags").iterdir()) == []
        venv.step(np.zeros((1, 2), np.float32))


def test_episode_of_a_lost_player_ends_with_its_bag(settings, tmp_path):
    with Simulation(settings(), "navigation", tmp_path / "logs") as simulation:
        venv = PlayerVecEnv(PlayerVectorEnv(NavigationTask(), simulation, 1))
        with recorded(venv, tmp_path / "bags", 1):
            venv.reset()
            os.kill(simulation.processes[0].pid, signal.SIGKILL)
            venv.step(np.zeros((1, 2), np.float32))
        (bag,) = (tmp_path / "bags").iterdir()
        assert [message.data for _, message in read(bag)["/truncated"]] == [True]


def test_folder_that_cannot_be_made_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("")
    with Simulation(settings(), "navigation", tmp_path / "logs") as simulation:
        venv = PlayerVecEnv(PlayerVectorEnv(NavigationTask(), simulation, 1))
        with pytest.raises(InputError, match="--record-bag: cannot make the folder"):
            recorded(venv, tmp_path / "file" / "bags", 1).__enter__()
