import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rl_pipeline.interfaces import Service, load_interfaces
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.service_batch import ServiceBatch

RESET = load_interfaces().service("interfaces_pkg/NavigationReset")
STEP = load_interfaces().service("interfaces_pkg/NavigationStep")
START_TIMEOUT = 20.0
CALL_TIMEOUT = 20.0

StartPlayer = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(port=None) as endpoint:
        yield endpoint


@pytest.fixture
def start_player(endpoint: Endpoint, tmp_path: Path) -> Iterator[StartPlayer]:
    """Start a player as the launcher does; it connects to the endpoint, painting its frames."""
    players: list[subprocess.Popen[str]] = []

    def start(arguments: str, environment_id: int = 0, port: int | None = None) -> subprocess.Popen[str]:
        port = endpoint.listen(0) if port is None else port
        command = f"{sys.executable} -m rl_pipeline.players.navigation {arguments}".split()
        command += f"-logFile {tmp_path / 'player.log'} --ros-port {port} --environment-id {environment_id}".split()
        environment = {**os.environ, "MUJOCO_GL": "disabled", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
        players.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return players[-1]

    yield start
    for player in players:
        player.kill()
        player.communicate(timeout=60)


def await_services(endpoint: Endpoint, environment_id: int = 0) -> None:
    name = f"/navigation_{environment_id}/step"
    assert endpoint.wait_until(lambda: name in endpoint.services, START_TIMEOUT)


def call(endpoint: Endpoint, service: Service, environment_id: int = 0, **fields: Any) -> dict[str, Any]:
    verb = "reset" if service is RESET else "step"
    name = f"/navigation_{environment_id}/{verb}"
    return service.response.decode(endpoint.call(name, service.request.encode(fields), CALL_TIMEOUT))


def timed_step(endpoint: Endpoint) -> tuple[float, float]:
    """Wall-clock duration of a step, and the simulated time after it, s."""
    start = time.monotonic()
    response = call(endpoint, STEP)
    return time.monotonic() - start, response["simulated_time"]


def seconds(stamp: dict[str, int]) -> float:
    return stamp["sec"] + stamp["nanosec"] * 1e-9


def test_reset_and_step_answer_with_states_stamps_and_no_image_without_graphics(
    endpoint: Endpoint, start_player: StartPlayer
) -> None:
    start_player("-batchmode -nographics --time-scale 0", environment_id=4)
    await_services(endpoint, 4)
    start = call(endpoint, RESET, 4, seed=7, render=True)
    assert start["image"]["data"].size == 0
    assert start["state"]["health"] == 1.0
    before = time.time()
    step = call(endpoint, STEP, 4, render=True, **{"action.linear.x": 1.0})
    assert before <= seconds(step["request_received"]) <= seconds(step["response_sent"]) <= time.time()
    assert step["image"]["data"].size == 0
    assert step["simulated_time"] == pytest.approx(0.1)
    assert step["state"]["pose"] != start["state"]["pose"]
    again = call(endpoint, RESET, 4, seed=7)
    assert again["state"]["pose"] == start["state"]["pose"]
    assert again["state"]["lidar"]["ranges"].tolist() == start["state"]["lidar"]["ranges"].tolist()


def test_in_batch_mode_a_frame_comes_when_asked_for(endpoint: Endpoint, start_player: StartPlayer) -> None:
    start_player("-batchmode --time-scale 0")
    await_services(endpoint)
    image = call(endpoint, RESET, seed=1, render=True)["image"]
    assert image["format"] == "jpeg"
    assert Image.open(io.BytesIO(image["data"].tobytes())).size == (640, 480)
    assert call(endpoint, STEP)["image"]["data"].size == 0


def test_paused_time_stands_still_between_requests_and_steps_take_their_time(
    endpoint: Endpoint, start_player: StartPlayer
) -> None:
    start_player("-batchmode -nographics --pause true --sample-time 2.0 --time-scale 10.0")
    await_services(endpoint)
    assert timed_step(endpoint)[1] == pytest.approx(2.0)
    endpoint.wait_until(lambda: False, 0.2)
    duration, simulated = timed_step(endpoint)
    assert simulated == pytest.approx(4.0)
    assert 0.2 <= duration < 2.0


def test_running_time_goes_on_between_requests(endpoint: Endpoint, start_player: StartPlayer) -> None:
    start_player("-batchmode -nographics --pause false --time-scale 2.0")
    await_services(endpoint)
    _, first = timed_step(endpoint)
    endpoint.wait_until(lambda: False, 0.5)
    duration, second = timed_step(endpoint)
    assert 0.9 < second - first < 20.0
    assert 0.03 < duration < 5.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_in_the_middle_of_a_step(
    endpoint: Endpoint, start_player: StartPlayer, number: signal.Signals
) -> None:
    player = start_player("-batchmode -nographics --sample-time 30 --time-scale 1.0")
    await_services(endpoint)
    ServiceBatch(endpoint, STEP, ["/navigation_0/step"]).send()
    endpoint.poll(0.05)
    player.send_signal(number)
    start = time.monotonic()
    assert player.wait(timeout=20) == 0
    assert time.monotonic() - start < 15.0, "the step alone would have taken 30 s"


def test_it_connects_again_and_writes_so_to_its_log(start_player: StartPlayer, tmp_path: Path) -> None:
    with Endpoint(port=None) as first:
        port = first.listen(0)
        start_player("-batchmode -nographics", port=port)
        await_services(first)
    with Endpoint(port=port) as second:
        await_services(second)
        log = (tmp_path / "player.log").read_text()
    assert re.findall("INFO connected to|WARNING connection to .* lost", log) == [
        "INFO connected to",
        f"WARNING connection to 127.0.0.1:{port} lost",
        "INFO connected to",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-batchmode --time-scale fast", "--time-scale: expected a number from 0 up, found 'fast'"),
        ("", "a window needs a display, but neither DISPLAY nor WAYLAND_DISPLAY is set; to run without a window, set"),
    ],
)
def test_bad_input_is_one_line_in_the_log_and_exit_code_2(
    start_player: StartPlayer, tmp_path: Path, arguments: str, message: str
) -> None:
    assert start_player(arguments, port=1).wait(timeout=START_TIMEOUT) == 2
    log = (tmp_path / "player.log").read_text()
    assert message in log
    assert log.count("\n") == 1


def test_a_log_that_cannot_be_written_is_told_on_standard_error() -> None:
    command = [sys.executable, "-m", "rl_pipeline.players.navigation", "-logFile", "/no/such/folder/player.log"]
    player = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT, check=False)
    assert player.returncode == 2
    assert player.stderr == "-logFile: cannot write /no/such/folder/player.log: No such file or directory\n"
