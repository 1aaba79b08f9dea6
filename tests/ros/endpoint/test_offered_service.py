"""Answers to clients that the middleware has not found yet, or never finds."""

import select
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from std_srvs.srv import SetBool

from rl_pipeline.ros.offered_service import REACH_TIME, RETRY_PERIOD, Answers

FALSE, TRUE = SetBool.Request(data=False), SetBool.Request(data=True)


class Service:
    """A service some of whose clients cannot be reached yet."""

    def __init__(self, *unreachable):
        self.unreachable = set(unreachable)
        self.sent = []

    def respond(self, request_id, payload):
        if request_id in self.unreachable:
            return False
        self.sent.append((request_id, payload))
        return True


def test_an_answer_is_sent_once_its_client_is_found():
    service = Service("late")
    held = Answers("/step", service)
    held.send("late", b"1")
    held.send("known", b"2")
    assert service.sent == [("known", b"2")]

    service.unreachable.clear()
    held.send_again(time.monotonic())
    assert len(held) == 1, "each attempt holds up all others, so that it is not made at once"
    held.send_again(time.monotonic() + RETRY_PERIOD)
    assert service.sent == [("known", b"2"), ("late", b"1")]
    assert not held


def test_one_client_that_is_not_found_keeps_no_other_from_its_answer():
    service = Service("never", "late")
    held = Answers("/step", service)
    held.send("never", b"1")
    held.send("late", b"2")
    service.unreachable = {"never"}
    for attempt in (1, 2):
        held.send_again(time.monotonic() + attempt * RETRY_PERIOD)
    assert service.sent == [("late", b"2")]


def test_an_answer_is_given_up_when_it_is_too_old(caplog):
    held = Answers("/step", Service("never"))
    held.send("never", b"1")
    held.send_again(time.monotonic() + REACH_TIME)
    assert not held
    assert "/step: an answer was not sent" in caplog.text


def test_a_client_without_a_way_back_is_given_up_and_others_are_served_meanwhile(ros, unity, server, eventually):
    player = unity().offer("/no_way_back")
    # What the client demands of answers no service offers, so that only its requests are matched.
    without_answers = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    client = ros.create_client(SetBool, "/no_way_back", qos_profile=without_answers)

    def has_asked():
        client.call_async(FALSE)  # which is lost until the service is found
        if player.raw.waiting or select.select([player.raw.socket], [], [], 0.2)[0]:
            player.frames.append(player.raw.receive())
        return any(frame.destination == "__request" for frame in player.frames)

    ros.wait(has_asked)

    future = ros.start_call("/no_way_back", TRUE, SetBool)
    request = None
    while request != TRUE:
        srv_id, frame = player.request_of_ros()
        request = deserialize_message(frame.payload, SetBool.Request)
        player.respond(srv_id, "/no_way_back", SetBool.Response(success=request.data))
    ros.wait(future.done, 5.0)
    assert future.result().success
    eventually(lambda: any("/no_way_back: an answer was not sent" in line for line in server.log))
