"""A player written from the wire protocol alone: no code of the project, only sockets, struct and a unicycle."""

import argparse
import json
import math
import random
import socket
import struct

parser = argparse.ArgumentParser()
parser.add_argument("--ros-ip")
parser.add_argument("--ros-port", type=int)
parser.add_argument("--environment-id")
arguments, _ = parser.parse_known_args()
sock = socket.create_connection((arguments.ros_ip, arguments.ros_port))
stream = sock.makefile("rb")
x = y = heading = goal_x = goal_y = elapsed = clock = 0.0


def frame(destination, payload):
    destination += b"\0"
    return struct.pack("<I", len(destination)) + destination + struct.pack("<I", len(payload)) + payload


def read():
    """Destination and payload of the next frame."""
    name = stream.read(struct.unpack("<I", stream.read(4))[0])
    return name.rstrip(b"\0").decode(), stream.read(struct.unpack("<I", stream.read(4))[0])


def reset(request):
    global x, y, heading, goal_x, goal_y, elapsed
    (seed,) = struct.unpack_from("<I", request, 12)
    rng = random.Random(seed)
    x, y, heading, goal_x, goal_y, elapsed = 0.0, 0.0, rng.uniform(-3, 3), rng.uniform(1, 3), rng.uniform(-3, 3), 0.0


def step(request):
    global x, y, heading, elapsed, clock
    speed, turn = struct.unpack_from("<d", request, 20)[0], struct.unpack_from("<d", request, 60)[0]
    heading += 0.1 * turn
    x, y, clock = x + 0.1 * speed * math.cos(heading), y + 0.1 * speed * math.sin(heading), clock + 0.1
    elapsed = elapsed + 0.1 if math.hypot(goal_x - x, goal_y - y) < 0.6 else 0.0


def respond():
    """Stamps, simulated time, pose, twist, target, radius, health, timer, lidar of 30 rays, empty image."""
    pose = struct.pack("<7d", x, y, 0, 0, 0, math.sin(heading / 2), math.cos(heading / 2))
    target = struct.pack("<7d", goal_x, goal_y, 0, 0, 0, 0, 1)
    numbers = struct.pack("<4f3f", 0.6, 1.0, elapsed, 1.0, -math.pi, 2 * math.pi / 30, 6.0)
    lidar = struct.pack("<I30fI30B", 30, *[6.0] * 30, 30, *[0] * 30) + bytes(2)
    image = struct.pack("<iIIB3xIB3xI", 0, 0, 1, 0, 1, 0, 0)
    return b"\0\1\0\0" + bytes(16) + struct.pack("<d", clock) + pose + bytes(48) + target + numbers + lidar + image


handlers = {f"/navigation_{arguments.environment_id}/{f.__name__}": (f, f.__name__.capitalize()) for f in (reset, step)}
sock.sendall(bytes(8))
for name, (_, kind) in handlers.items():
    registration = json.dumps({"topic": name, "message_name": f"interfaces_pkg/Navigation{kind}"})
    sock.sendall(frame(b"__unity_service", registration.encode() + b"\0"))


def serve():
    """Answer requests until the trainer ends the player."""
    while True:
        destination, payload = read()
        if destination == "__request":
            srv_id = json.loads(payload)["srv_id"]
            name, request = read()
            handlers[name][0](request)
            sock.sendall(frame(b"__response", b'{"srv_id":%d}\0' % srv_id) + frame(name.encode(), respond()))


if __name__ == "__main__":
    serve()
