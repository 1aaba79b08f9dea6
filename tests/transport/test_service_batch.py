"""Batched calls against peers that write every byte by hand, in all the ways that bytes arrive in."""

import struct
import threading
import time

import numpy as np
import pytest

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.transport import service_batch
from rl_pipeline.transport.batch_io import is_compiled
from rl_pipeline.transport.frames import KEEPALIVE, FrameReader, decode_command, encode_command, encode_frame
from rl_pipeline.transport.service_batch import ServiceBatch

STEP = load_interfaces().service("interfaces_pkg/NavigationStep")
LENGTHS = {"state.lidar.ranges": 30, "state.lidar.tags": 30}


def response(value, rays=30, image=b""):
    lengths = {"state.lidar.ranges": rays, "state.lidar.tags": rays, "image.data": len(image)}
    batch = STEP.response.layout(lengths).empty(1)
    batch["state.health"] = value
    if image:
        batch["image.data"] = np.frombuffer(image, np.uint8)
    return batch.bytes(0)


def answer(srv_id, payload, *, nul=True, name="/x/step"):
    return encode_command("__response", nul=nul, srv_id=srv_id) + encode_frame(name, payload, nul=nul)


class Peer:
    """Answers the k-th request with the bytes that `script(k, srv_id, request)` yields, each sent on its own."""

    def __init__(self, connect, name, script):
        self.raw = connect()
        self.raw.command("__unity_service", topic=name, message_name="interfaces_pkg/NavigationStep")
        self.requests = []
        self._script = script
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        srv_id = None
        try:
            while (frame := self.raw.receive()) is not None:
                if frame.destination == "__request":
                    srv_id = decode_command(frame)["srv_id"]
                elif srv_id is not None:
                    self.requests.append(frame)
                    for piece in self._script(len(self.requests) - 1, srv_id, frame.payload):
                        self.raw.send(piece)
        except OSError:
            pass


@pytest.fixture(params=["compiled", "python"])
def batch(endpoint, raw_player, request, monkeypatch):
    if request.param == "python":
        monkeypatch.setattr(service_batch, "is_compiled", lambda: False)
    elif not is_compiled():
        pytest.skip("no C compiler was there when the package was installed")

    def make(*scripts):
        names = [f"/navigation_{index * 7}/step" for index in range(len(scripts))]
        peers = [Peer(raw_player, name, script) for name, script in zip(names, scripts, strict=True)]
        assert endpoint.wait_until(lambda: all(name in endpoint.services for name in names), 5)
        return ServiceBatch(endpoint, STEP, names), peers

    return make


def call(batch, timeout=5.0):
    """Health of each player by index, and the late ones."""
    batch.send()
    late = batch.receive(timeout)
    found = {}
    for players, responses in batch.responses():
        for index, health in zip(np.arange(len(batch))[players].tolist(), responses.state.health.tolist(), strict=True):
            found[index] = round(health, 6)
    return found, late


def test_requests_carry_each_players_fields_and_the_time(batch):
    calls, peers = batch(*[lambda k, srv_id, request: [answer(srv_id, response(0.5))]] * 3)
    calls.request["action.linear.x"] = [1.0, 2.0, 3.0]
    calls.request["render"] = [True, False, True]
    before = time.time()
    assert call(calls) == ({0: 0.5, 1: 0.5, 2: 0.5}, [])
    for index, peer in enumerate(peers):
        (frame,) = peer.requests
        assert frame.destination == f"/navigation_{index * 7}/step"
        values = STEP.request.decode(frame.payload)
        assert values["action"]["linear"]["x"] == index + 1
        assert values["render"] is (index != 1)
        sent = values["request_sent"]["sec"] + values["request_sent"]["nanosec"] * 1e-9
        assert before - 0.01 <= sent <= time.time()


@pytest.mark.parametrize("pieces", ["whole", "bytes", "halves", "fields"])
@pytest.mark.parametrize("nul", [True, False])
def test_responses_are_the_same_however_they_are_cut(batch, pieces, nul):
    def script(k, srv_id, request):
        data = answer(srv_id, response(k / 8), nul=nul)
        if pieces == "whole":
            return [data]
        if pieces == "bytes":
            return [data[index : index + 1] for index in range(len(data))]
        if pieces == "halves":
            return [data[:97], data[97:]]
        return [data[:4], data[4:15], data[15:19], data[19:60], data[60:]]

    calls, _ = batch(script, script)
    for k in range(5):
        assert call(calls) == ({0: k / 8, 1: k / 8}, [])


def test_keepalives_and_messages_around_a_response_are_no_part_of_it(batch):
    def script(k, srv_id, request):
        registration = encode_command("__subscribe", nul=True, topic="/t", message_name="std_msgs/Int32")
        return [KEEPALIVE + answer(srv_id, response(k / 8)) + KEEPALIVE + registration, KEEPALIVE]

    calls, _ = batch(script)
    for k in range(5):
        assert call(calls) == ({0: k / 8}, [])


@pytest.mark.parametrize("sizes", [[0, 4, 8, 12, 16], [400] * 5, [0, 400, 400, 0, 800]])
def test_image_in_some_responses_leaves_the_others_alone(batch, sizes):
    def plain(k, srv_id, request):
        return [answer(srv_id, response(k / 8))]

    def filming(k, srv_id, request):
        return [answer(srv_id, response(k / 8, image=b"x" * sizes[k]))]

    calls, _ = batch(plain, filming, plain)
    for k in range(4):
        assert call(calls) == ({0: k / 8, 1: k / 8, 2: k / 8}, [])
    calls.send()
    calls.receive(5)
    images = {int(players[0]): bytes(r.image.data[0]) for players, r in calls.responses() if len(r) == 1}
    assert images[1] == b"x" * sizes[4]


def test_all_responses_changing_their_size_are_followed(batch):
    sizes = [30, 30, 12, 12, 12, 40, 40]

    def script(k, srv_id, request):
        return [answer(srv_id, response(k / 8, rays=sizes[k]))]

    calls, _ = batch(script, script)
    for size in sizes:
        calls.send()
        assert calls.receive(5) == []
        rays = [responses.state.lidar.ranges.shape for _, responses in calls.responses()]
        assert sum(shape[0] for shape in rays) == 2
        assert all(shape[1] == size for shape in rays)


def test_response_beyond_the_deadline_is_late_and_never_taken_for_the_next(batch):
    release = threading.Event()

    def slow(k, srv_id, request):
        if k == 1:
            release.wait(5)
        return [answer(srv_id, response(k / 8))]

    calls, _ = batch(slow, lambda k, srv_id, request: [answer(srv_id, response(k / 8))])
    assert call(calls) == ({0: 0.0, 1: 0.0}, [])
    assert call(calls, timeout=0.1) == ({1: 0.125}, [0])
    release.set()
    assert call(calls) == ({0: 0.25, 1: 0.25}, [])


def test_response_that_is_half_there_at_the_deadline_does_not_lose_the_stream(batch):
    release = threading.Event()

    def halting(k, srv_id, request):
        data = answer(srv_id, response(k / 8))
        yield data[:200]
        if k == 2:
            release.wait(5)
        yield data[200:]

    calls, _ = batch(halting)
    assert [call(calls) for _ in range(2)] == [({0: 0.0}, []), ({0: 0.125}, [])]
    assert call(calls, timeout=0.2) == ({}, [0])
    release.set()
    assert [call(calls) for _ in range(2)] == [({0: 0.375}, []), ({0: 0.5}, [])]


def test_lost_player_is_missing_at_once_and_others_answer(batch):
    def dying(k, srv_id, request):
        if k == 1:
            calls_peers[0].raw.close()
            return []
        return [answer(srv_id, response(0.5))]

    calls, calls_peers = batch(dying, lambda k, srv_id, request: [answer(srv_id, response(0.25))])
    assert call(calls) == ({0: 0.5, 1: 0.25}, [])
    began = time.monotonic()
    calls_peers[0].raw.socket.shutdown(2)
    assert call(calls, timeout=30) == ({1: 0.25}, [])
    assert call(calls, timeout=30) == ({1: 0.25}, [])
    assert time.monotonic() - began < 25, "a call waited for its deadline"


def test_interleaved_and_wrong_ids_do_not_pass_for_the_response(batch):
    def script(k, srv_id, request):
        wrong = answer(srv_id + 1, response(0.9))
        return [wrong, answer(srv_id, response(k / 8))]

    calls, _ = batch(script)
    for k in range(4):
        assert call(calls) == ({0: k / 8}, [])


def test_only_the_given_players_are_asked(batch):
    calls, peers = batch(*[lambda k, srv_id, request: [answer(srv_id, response(0.5))]] * 3)
    calls.send(np.array([0, 2]))
    assert calls.receive(5) == []
    assert sorted(np.concatenate([np.arange(3)[players] for players, _ in calls.responses()]).tolist()) == [0, 2]
    assert [len(peer.requests) for peer in peers] == [1, 0, 1]


def test_large_response_is_received_where_it_is_decoded(batch):
    image = bytes(range(256)) * 4096

    def script(k, srv_id, request):
        return [answer(srv_id, response(k / 8, image=image))]

    calls, _ = batch(script)
    for k in range(4):
        calls.send()
        assert calls.receive(5) == []
        ((_, responses),) = calls.responses()
        assert responses.image.data[0].tobytes() == image
        assert responses.state.health[0] == k / 8


def test_request_frames_stand_next_to_each_other_without_nul(batch):
    calls, (peer,) = batch(lambda k, srv_id, request: [answer(srv_id, response(0.5))])
    call(calls)
    name, payload = b"/navigation_0/step", peer.requests[0].payload
    expected = struct.pack("<I", len(name)) + name + struct.pack("<I", len(payload)) + payload
    assert encode_frame(name.decode(), payload) == expected
    assert next(FrameReader().feed(expected)).payload == payload


def test_responses_that_others_poll_for_in_the_meantime_are_not_lost(batch, endpoint):
    calls, _ = batch(*[lambda k, srv_id, request: [answer(srv_id, response(k / 10))]] * 2)
    for k in range(3):
        calls.send()
        endpoint.poll(1.0)  # as the background thread may, or a call of another service
        assert calls.receive(5.0) == []
        healths = [health for _, responses in calls.responses() for health in responses.state.health.tolist()]
        assert healths == pytest.approx([k / 10] * 2)
