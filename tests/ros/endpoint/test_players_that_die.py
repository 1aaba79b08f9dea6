"""Fifty players die in one endpoint's hands, at any moment; the next one is served."""

import random
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
from std_srvs.srv import SetBool

DEADLINE = 5.0
"""Seconds within which every call must have ended, and a service that nobody offers be gone."""
PLAYER = """
import sys, time
from rl_pipeline.transport.client import Client
client = Client("127.0.0.1", int(sys.argv[1]))
def answer(request):
    print("asked", flush=True)
    time.sleep(float(sys.argv[2]))
    return bytes([0, 1, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]) + b"done\\0"
for index in range(20):
    client.serve(f"/dying/other_{index}", "std_srvs/SetBool", answer)
client.serve("/dying", "std_srvs/SetBool", answer)
print("started", flush=True)
while True:
    client.poll(0.2)
"""


def start_player(port, thinking_time):
    words = [sys.executable, "-c", PLAYER, str(port), str(thinking_time)]
    player = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert player.stdout.readline() == "started\n"
    return player


def kill(player):
    player.kill()
    player.wait(5)
    player.stdout.close()


@pytest.mark.slow
def test_every_call_ends_and_the_next_player_is_served(ros, server):
    moments = random.Random(0)
    client = ros.create_client(SetBool, "/dying")
    for turn in range(50):
        kind = ("registering", "idle", "asked")[turn % 3]
        player = start_player(server.port, 60.0)
        if kind == "registering":
            ros.spin_until(lambda: False, timeout=moments.uniform(0.0, 0.02))
        else:
            ros.wait(client.service_is_ready)
        future = client.call_async(SetBool.Request()) if kind == "asked" else None
        if future is not None:
            ros.spin_until(lambda: False, timeout=0.01)
            assert player.stdout.readline() == "asked\n"
        kill(player)
        if kind == "idle":  # the next one is asked: it must not be taken for the last one
            ros.wait(lambda: not client.service_is_ready(), DEADLINE)
        if future is not None:
            ros.wait(future.done, DEADLINE)
            assert future.result().message == "the player was lost"
        assert server.running
    ros.wait(lambda: not client.service_is_ready(), DEADLINE)
    last = start_player(server.port, 0.0)
    try:
        assert ros.call("/dying", SetBool.Request(), SetBool) == SetBool.Response(success=True, message="done")
    finally:
        kill(last)
