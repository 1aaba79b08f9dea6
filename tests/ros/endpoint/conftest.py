"""A real endpoint process, a plain rclpy node, and peers that write the protocol of Unity's connector by hand."""

import os
import re
import subprocess
import sys
import threading
import time

import pytest

from rl_pipeline.transport.frames import decode_command


class EndpointProcess:
    """`rl-pipeline endpoint --ros2` on a free port."""

    def __init__(self, *arguments, folder=None):
        words = [sys.executable, "-m", "rl_pipeline.cli", "endpoint", "--ros2", "ros.tcp_port=0", *arguments]
        self.process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listening on \S+:(\d[\d, ]*) \(", line):
                self.ports = [int(port) for port in found[1].split(",")]
                self.port = self.ports[0]
                break
        else:
            raise AssertionError("".join(self.log))
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._reader.start()

    @property
    def running(self):
        return self.process.poll() is None

    def processor_time(self):
        """Seconds of processor that it has used."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self._reader.join(5)
        self.process.stderr.close()


class PlainNode:
    """A node as anybody writes it, which waits with deadlines; what it does not know itself, it asks rclpy's node."""

    def __init__(self):
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node

        self._context = Context()
        self._context.init()
        self._node = Node("plain", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def __getattr__(self, name):
        return getattr(self._node, name)

    def spin_until(self, condition, timeout=30.0):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=0.05)
        return True

    def wait(self, condition, timeout=30.0):
        assert self.spin_until(condition, timeout), "it never came to be"

    def start_call(self, name, request, service):
        client = self.create_client(service, name)
        self.wait(client.service_is_ready)
        return client.call_async(request)

    def call(self, name, request, service, timeout=10.0):
        future = self.start_call(name, request, service)
        self.wait(future.done, timeout)
        return future.result()

    def sees_service(self, name):
        """Whether somebody offers a service; the names of the graph are also those that are only called."""
        from std_srvs.srv import SetBool

        client = self.create_client(SetBool, name)
        try:
            return self.spin_until(client.service_is_ready, timeout=0.2)
        finally:
            self.destroy_client(client)

    def end(self):
        self._executor.shutdown(timeout_sec=5)
        self._node.destroy_node()
        self._context.try_shutdown()


class Unity:
    """What a Unity player does, step by step; frames that a test does not wait for are kept."""

    def __init__(self, raw):
        self.raw = raw
        self.frames = []

    def next(self, destination, behind=0):
        """The next frame to a destination, or the one so many behind it."""
        index = 0
        while index >= len(self.frames) - behind or self.frames[index].destination != destination:
            if index >= len(self.frames) - behind:
                frame = self.raw.receive()
                assert frame is not None, f"closed before {destination} came"
                self.frames.append(frame)
            else:
                index += 1
        found = self.frames[index : index + behind + 1]
        del self.frames[index : index + behind + 1]
        return found if behind else found[0]

    def offer(self, name, type_name="std_srvs/SetBool"):
        self.raw.command("__unity_service", topic=name, message_name=type_name)
        return self

    def publish(self, name, type_name, latch=False, queue_size=10):
        self.raw.command("__publish", topic=name, message_name=type_name, queue_size=queue_size, latch=latch)
        return self

    def subscribe(self, name, type_name):
        self.raw.command("__subscribe", topic=name, message_name=type_name)
        return self

    def send(self, name, message):
        from rclpy.serialization import serialize_message

        self.raw.frame(name, serialize_message(message))

    def request_of_ros(self):
        """The id and the frame of the next request."""
        header, frame = self.next("__request", behind=1)
        return decode_command(header)["srv_id"], frame

    def respond(self, srv_id, name, message):
        self.raw.command("__response", srv_id=srv_id)
        self.send(name, message)

    def call_ros(self, srv_id, name, request):
        self.raw.command("__request", srv_id=srv_id)
        self.send(name, request)

    def response_of_ros(self):
        """The id and the payload of the next response."""
        header, frame = self.next("__response", behind=1)
        return decode_command(header)["srv_id"], frame.payload

    def error(self):
        return decode_command(self.next("__error"))["text"]

    def leave(self):
        self.raw.close(reset=True)

    def is_served(self):
        """Whether the connection still works."""
        self.raw.command("__topic_list")
        return self.next("__topic_list") is not None


@pytest.fixture(scope="package")
def server():
    """An endpoint that most tests share: what one of them does to it, the others would notice."""
    process = EndpointProcess()
    yield process
    assert process.running, "".join(process.log)
    process.stop()
    assert "Traceback" not in "".join(process.log), "".join(process.log)


@pytest.fixture
def endpoint_process():
    """Start endpoints with arguments of one's own."""
    processes = []

    def start(*arguments, folder=None):
        processes.append(EndpointProcess(*arguments, folder=folder))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


@pytest.fixture(scope="package")
def _node():
    node = PlainNode()
    yield node
    node.end()


@pytest.fixture
def ros(_node):
    """A plain node; what a test makes in it is withdrawn afterwards."""
    kept = {kind: set(getattr(_node, kind)) for kind in ("clients", "services", "publishers", "subscriptions")}
    yield _node
    for kind, before in kept.items():
        for entity in set(getattr(_node, kind)) - before:
            getattr(_node, f"destroy_{kind[:-1]}")(entity)


@pytest.fixture
def unity(server, connect_raw):
    """Connect players to the shared endpoint, or to a port."""
    return lambda port=None: Unity(connect_raw(port or server.port))
