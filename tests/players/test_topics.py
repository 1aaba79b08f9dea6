"""Topics of the embedded player, on a real process: its camera, and commands that drive it in real time."""

import io
import subprocess
import sys

import pytest
from PIL import Image

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.transport.endpoint import Endpoint

TIMEOUT = 20.0
STEP = load_interfaces().service("interfaces_pkg/NavigationStep")
STATE = load_interfaces().message("interfaces_pkg/NavigationState")
IMAGE = load_interfaces().message("sensor_msgs/CompressedImage")
TWIST = load_interfaces().message("geometry_msgs/Twist")


@pytest.fixture
def endpoint():
    with Endpoint(port=0) as endpoint:
        yield endpoint


@pytest.fixture
def start_player(endpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    players = []

    def start(*arguments):
        words = [sys.executable, "-m", "rl_pipeline.players.navigation", "-batchmode", "--ros-port", str(endpoint.port)]
        players.append(subprocess.Popen([*words, "-logFile", str(tmp_path / "player.log"), *arguments]))
        assert endpoint.wait_until(lambda: "/navigation_0/step" in endpoint.services, TIMEOUT)

    yield start
    for player in players:
        player.kill()
        player.wait(10)


def position(endpoint):
    payload = endpoint.call("/navigation_0/step", STEP.request.encode({}), TIMEOUT)
    return STEP.response.decode(payload)["state"]["pose"]["position"]["x"]


def test_camera_publishes_frames_at_its_rate_of_simulated_time(endpoint, start_player):
    images = []
    endpoint.router.subscribe("/navigation_0/camera", "sensor_msgs/CompressedImage", images.append)
    start_player("--camera-rate", "5", "--time-scale", "0")
    endpoint.wait_until(lambda: bool(images), TIMEOUT)
    for _ in range(10):  # steps of 0.1 s
        position(endpoint)
    assert endpoint.wait_until(lambda: len(images) >= 5, TIMEOUT)
    position(endpoint)
    assert len(images) <= 7
    image = IMAGE.decode(images[-1])
    assert image["header"]["frame_id"] == "navigation_0_camera"
    assert Image.open(io.BytesIO(bytes(image["data"]))).size == (640, 480)


def test_command_drives_the_player_while_time_runs_on(endpoint, start_player, eventually):
    start_player("-nographics", "--pause", "false", "--time-scale", "20")
    assert endpoint.wait_until(lambda: bool(endpoint.connections[0].subscribers), TIMEOUT)
    assert endpoint.connections[0].subscribers == {"/navigation_0/command": "geometry_msgs/Twist"}

    def pose(action):
        payload = endpoint.call("/navigation_0/step", STEP.request.encode({"action": action}), TIMEOUT)
        return STEP.response.decode(payload)["state"]["pose"]["orientation"]["z"]

    still = {"linear": {"x": 0.0}, "angular": {"z": 0.0}}
    before = pose(still)
    endpoint.router.publish("/navigation_0/command", "geometry_msgs/Twist", TWIST.encode({"angular": {"z": 1.0}}))
    endpoint.wait_until(lambda: False, timeout=0.1)  # two seconds of simulated time
    assert abs(pose(still) - before) > 0.1


def test_player_whose_time_stands_still_between_requests_takes_no_commands(endpoint, start_player):
    start_player("-nographics", "--time-scale", "0")
    position(endpoint)
    assert not endpoint.connections[0].subscribers
    assert not endpoint.connections[0].publishers


def test_state_is_published_as_steps_answer_it(endpoint, start_player):
    states = []
    endpoint.router.subscribe("/navigation_0/state", "interfaces_pkg/NavigationState", states.append)
    start_player("-nographics", "--state-rate", "5", "--time-scale", "0")
    answered = []
    for _ in range(10):  # steps of 0.1 s
        payload = endpoint.call("/navigation_0/step", STEP.request.encode({"action": {"linear": {"x": 1.0}}}), TIMEOUT)
        answered.append(STATE.encode(STEP.response.decode(payload)["state"]))
    assert endpoint.wait_until(lambda: len(states) >= 5, TIMEOUT)
    assert len(states) <= 7
    assert {bytes(state) for state in states[1:]} <= set(answered)
    assert len({bytes(state) for state in states}) >= 5


def test_several_worlds_have_no_state_to_publish(tmp_path):
    words = [sys.executable, "-m", "rl_pipeline.players.navigation", "-batchmode", "--worlds", "2", "--state-rate", "5"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--state-rate: interfaces_pkg/NavigationStepBatch has no message 'state'" in done.stderr
