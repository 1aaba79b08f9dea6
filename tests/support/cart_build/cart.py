"""A build that knows nothing of the project: a cart on a track, its own definitions, sockets and struct.

Its services have neither a seed nor `render`, and its responses no image, simulated time or stamps of these names.
"""

import argparse
import json
import random
import socket
import struct
import time

TRACK = 2.0
PERIOD = 0.05

parser = argparse.ArgumentParser()
parser.add_argument("--ros-ip", default="127.0.0.1")
parser.add_argument("--ros-port", type=int, default=10000)
parser.add_argument("--environment-id", type=int, default=0)
parser.add_argument("--sensors", type=int, default=2)
arguments, _ = parser.parse_known_args()
position = velocity = 0.0


def frame(destination, payload):
    name = destination.encode() + b"\0"
    return struct.pack("<I", len(name)) + name + struct.pack("<I", len(payload)) + payload


def reset(request):
    global position, velocity
    assert struct.unpack_from("<?", request, 12)[0]
    position, velocity = random.uniform(-1.0, 1.0), 0.0


def step(request):
    global position, velocity
    (force,) = struct.unpack_from("<f", request, 12)
    velocity = 0.98 * velocity + PERIOD * force
    position += PERIOD * velocity


def response():
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    distances = [TRACK + position, TRACK - position][: arguments.sensors]
    stamp = struct.pack("<iI", seconds, nanoseconds)
    state = struct.pack("<ffI", position, velocity, len(distances)) + struct.pack(f"<{len(distances)}f", *distances)
    return b"\0\1\0\0" + stamp + state


def connect():
    while True:
        try:
            return socket.create_connection((arguments.ros_ip, arguments.ros_port))
        except ConnectionRefusedError:
            time.sleep(0.1)


connection = connect()
stream = connection.makefile("rb")
handlers = {}
for handler, type_name in ((reset, "CartReset"), (step, "CartStep")):
    service = f"/cart_{arguments.environment_id}/{handler.__name__}"
    handlers[service] = handler
    registration = json.dumps({"topic": service, "message_name": f"cart_msgs/{type_name}"})
    connection.sendall(frame("__unity_service", registration.encode() + b"\0"))

srv_id = None
while header := stream.read(4):
    destination = stream.read(struct.unpack("<I", header)[0]).rstrip(b"\0").decode()
    payload = stream.read(struct.unpack("<I", stream.read(4))[0])
    if destination == "__request":
        srv_id = json.loads(payload.rstrip(b"\0"))["srv_id"]
    elif destination in handlers:
        handlers[destination](payload)
        answer = json.dumps({"srv_id": srv_id}).encode() + b"\0"
        connection.sendall(frame("__response", answer) + frame(destination, response()))
