"""One service of many players over rclpy: all at once, with deadlines, in the codec's arrays."""

import array
import contextlib
import threading

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
pytest.importorskip("interfaces_pkg", reason="the workspace is not built (bash ros_ws/build.bash)")

from interfaces_pkg.srv import NavigationStep
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from rl_pipeline.backends.ros2_calls import RosServiceCalls
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.ros.session import RosSession

STEP = load_interfaces().service("interfaces_pkg/NavigationStep")


class Players:
    """Plain ROS services of N players; `answer` gets a player's index and request, and fills its response."""

    def __init__(self, count):
        self.answer = lambda index, request, response: None
        self._context = Context()
        self._context.init()
        self.node = Node("players", context=self._context)
        for index in range(count):
            self.node.create_service(
                NavigationStep,
                f"/navigation_{index}/step",
                lambda request, response, index=index: self.answer(index, request, response) or response,
                callback_group=ReentrantCallbackGroup(),
            )
        self._executor = MultiThreadedExecutor(count + 1, context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def close(self):
        self._context.try_shutdown()
        self._thread.join(10)


@pytest.fixture
def players():
    started = []

    def start(count):
        started.append(Players(count))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def session():
    with RosSession("trainer") as session:
        yield session


def calls_of(session, served, count):
    """Clients that have found their services, and that these have found: plain services lose an answer otherwise."""
    calls = RosServiceCalls(session, STEP, [f"/navigation_{index}/step" for index in range(count)])

    def are_matched():
        return all(session.node.count_services(name) and served.node.count_clients(name) for name in calls.names)

    assert session.spin_until(are_matched, 10)
    return calls


def test_all_requests_are_under_way_at_once(players, session):
    everyone = threading.Barrier(3)
    served = players(3)

    def answer(index, request, response):
        everyone.wait(10)
        response.state.health = request.action.linear.x

    served.answer = answer
    calls = calls_of(session, served, 3)
    calls.request["action.linear.x"] = [0.25, 0.5, 0.75]
    calls.send()
    assert calls.receive(20) == []
    ((who, batch),) = calls.responses()
    assert who.tolist() == [0, 1, 2]
    assert batch["state.health"].tolist() == [0.25, 0.5, 0.75]
    assert (calls.response_times().mean > 0).all()


def test_responses_of_one_length_are_one_batch(players, session):
    def answer(index, request, response):
        response.state.lidar.ranges = array.array("f", [index] * (2 if index == 1 else 5))

    served = players(3)
    served.answer = answer
    calls = calls_of(session, served, 3)
    calls.send()
    assert calls.receive(20) == []
    groups = {tuple(who.tolist()): batch["state.lidar.ranges"].tolist() for who, batch in calls.responses()}
    assert groups == {(0, 2): [[0] * 5, [2] * 5], (1,): [[1] * 2]}


def test_who_is_late_is_named_and_its_answer_is_nobodys(players, session):
    go_on = threading.Event()

    def answer(index, request, response):
        if index == 1 and request.action.linear.x == 1.0:
            go_on.wait(20)
        response.state.health = request.action.linear.x

    served = players(2)
    served.answer = answer
    calls = calls_of(session, served, 2)
    calls.request["action.linear.x"] = 1.0
    calls.send()
    assert calls.receive(1.0) == [1]
    assert [who.tolist() for who, _ in calls.responses()] == [[0]]

    go_on.set()
    calls.request["action.linear.x"] = 0.5
    calls.send()
    assert calls.receive(20) == []
    ((_, batch),) = calls.responses()
    assert batch["state.health"].tolist() == [0.5, 0.5]


def test_who_is_not_there_is_not_asked_and_who_leaves_is_not_waited_for(players, session):
    served = players(1)
    asked = threading.Event()
    leave = threading.Event()

    def answer(index, request, response):
        asked.set()
        leave.wait(20)

    served.answer = answer
    calls = RosServiceCalls(session, STEP, ["/navigation_0/step", "/navigation_1/step"])
    assert session.spin_until(lambda: session.node.count_services("/navigation_0/step") == 1, 10)
    calls.send(np.array([1]))
    assert calls.receive(20) == []
    assert list(calls.responses()) == []

    calls.send()
    threading.Thread(target=lambda: (asked.wait(20), served.node.destroy_node(), leave.set())).start()
    assert calls.receive(60) == []
    assert list(calls.responses()) == []


def test_requests_carry_the_time_of_a_simulated_clock(players):
    stamps = []
    served = players(1)
    served.answer = lambda index, request, response: stamps.append(request.request_sent)
    with RosSession("trainer", ["--ros-args", "-p", "use_sim_time:=true"]) as session:
        clock = session.node.create_publisher(Clock, "/clock", 1)
        moment = Clock()
        moment.clock.sec, moment.clock.nanosec = 1234, 500_000_000

        def is_known():
            clock.publish(moment)
            return session.node.get_clock().now().nanoseconds == 1_234_500_000_000

        assert session.spin_until(is_known, 10)
        calls = calls_of(session, served, 1)
        calls.send()
        assert calls.receive(20) == []
    assert (stamps[0].sec, stamps[0].nanosec) == (1234, 500_000_000)
