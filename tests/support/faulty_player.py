"""The handmade player with a fault: `--fault NAME` in the command of its build.

    exec {python} faulty_player.py --fault truncated "$@"

The faults of `RESPONSES` change the response of player 1 to the second step after each start. The others concern every
response of every player.
"""

import argparse
import struct
import sys

import handmade_player as player

RESPONSES = {
    "truncated": lambda response: response[:300],
    "empty": lambda response: b"",
    "oversized": lambda response: response + bytes(40),
    "huge length": lambda response: response.replace(bytes([30, 0, 0, 0]), bytes([255] * 4), 1),
    "another length": lambda response: (
        response[:-188] + struct.pack("<I29fI30B", 29, *[6.0] * 29, 30, *[0] * 30) + response[-30:]
    ),
}

parser = argparse.ArgumentParser()
parser.add_argument("--fault", choices=[*RESPONSES, "other interfaces", "silent", "dies"])
fault = parser.parse_known_args()[0].fault
respond = player.respond
steps = 0


def bad_second_step():
    """Return the response; that of player 1 to its second step with the fault."""
    global steps
    steps += player.clock > 0
    is_faulty = steps == 2 and player.arguments.environment_id == "1"
    return RESPONSES[fault](respond()) if is_faulty else respond()


def of_other_interfaces():
    """Return a response whose sequence of ranges says 31 elements and has 30."""
    return respond().replace(struct.pack("<I", 30), struct.pack("<I", 31), 1)


def die():
    """Exit at the first request."""
    sys.exit("the scene is broken")


def be_silent():
    """Never answer."""
    while True:
        player.read()


player.respond = {"other interfaces": of_other_interfaces, "silent": be_silent, "dies": die}.get(fault, bad_second_step)
player.serve()
