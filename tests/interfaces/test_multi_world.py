"""Services that are called once for all worlds of a player."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import CodecError, load_interfaces
from rl_pipeline.interfaces.multi_world import batched_service, request_lengths, response_lengths

STEP = "interfaces_pkg/NavigationStep"
SHARED = "builtin_interfaces/Time request_sent\nbool render\n"


@given(worlds=st.integers(1, 9), rays=st.integers(0, 40), messages=st.integers(1, 4), data=st.data())
def test_states_of_all_worlds_are_rows_that_share_no_memory(worlds, rays, messages, data):
    lengths = response_lengths({"state.lidar.ranges": rays, "state.lidar.tags": rays}, worlds)
    batch = batched_service(STEP).response.layout(lengths).empty(messages)
    numbers = np.random.default_rng(data.draw(st.integers(0, 9))).random((messages, worlds, rays)).astype(np.float32)
    batch.state.lidar.ranges[...] = numbers
    batch.state.pose.position.x[...] = np.arange(messages * worlds).reshape(messages, worlds)
    rows = batch.state.rows()
    np.testing.assert_array_equal(rows.lidar.ranges, numbers.reshape(messages * worlds, rays))
    np.testing.assert_array_equal(rows.pose.position.x, np.arange(messages * worlds))
    for world in range(worlds):
        np.testing.assert_array_equal(batch.state[world].lidar.ranges, numbers[:, world])
    batch.state.health[...] = 1.0
    assert not rows.health.any()


def test_elements_that_differ_in_length_are_no_rows():
    lengths = response_lengths({"state.lidar.ranges": 3, "state.lidar.tags": 3}, 2) | {"state[1].lidar.ranges": 4}
    batch = batched_service(STEP).response.layout(lengths).empty(1)
    with pytest.raises(CodecError, match=r"NavigationState vary in size or distance"):
        batch.state.rows()


def test_a_request_is_written_by_the_paths_of_one_world():
    lengths = request_lengths(load_interfaces().service(STEP), 3, reset=False)
    request = batched_service(STEP).request.layout(lengths).empty(2)
    request["action.linear.x"] = np.arange(6.0).reshape(2, 3)
    assert [request.action[world].linear.x.tolist() for world in range(3)] == [[0, 3], [1, 4], [2, 5]]


def define(tmp_path, monkeypatch, batched):
    package = tmp_path / "interfaces_pkg"
    (package / "srv").mkdir(parents=True)
    (package / "package.xml").write_text("<package><name>interfaces_pkg</name></package>")
    (package / "srv" / "Push.srv").write_text(f"{SHARED}float64 force\n---\ngeometry_msgs/Point state\n")
    if batched is not None:
        (package / "srv" / "PushBatch.srv").write_text(batched)
    monkeypatch.setenv("RL_PIPELINE_WORKSPACE", str(tmp_path))


@pytest.mark.parametrize(
    ("batched", "said"),
    [
        (None, r"worlds_per_player: several worlds a player need the service interfaces_pkg/PushBatch"),
        (f"{SHARED}float64 force\n---\ngeometry_msgs/Point[] state\n", r"PushBatch: expected a sequence 'force'"),
        (f"{SHARED}float64[] force\n---\ngeometry_msgs/Point state\n", r"PushBatch: expected a sequence 'state'"),
        (
            f"{SHARED}float64[] force\n---\ngeometry_msgs/Pose[] state\n",
            r"'state' in its response, of what .*/Push has",
        ),
    ],
)
def test_a_batched_service_that_does_not_match_is_told(tmp_path, monkeypatch, batched, said):
    define(tmp_path, monkeypatch, batched)
    with pytest.raises(InputError, match=said):
        batched_service("interfaces_pkg/Push")


def test_a_batched_service_that_matches_is_taken(tmp_path, monkeypatch):
    define(tmp_path, monkeypatch, f"{SHARED}float64[] force\n---\ngeometry_msgs/Point[] state\n")
    assert batched_service("interfaces_pkg/Push").name == "interfaces_pkg/PushBatch"
