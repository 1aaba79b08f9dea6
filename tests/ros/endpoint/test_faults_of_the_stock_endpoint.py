"""None of the faults that Unity's own endpoint has: each test here fails on one of them, in their order."""

import os
import socket
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
from rclpy.serialization import deserialize_message
from std_msgs.msg import Int32
from std_srvs.srv import SetBool, Trigger

from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import decode_command

FALSE, TRUE = SetBool.Request(data=False), SetBool.Request(data=True)


def answered(message):
    return SetBool.Response(success=True, message=message)


def serve_one(player, name, message="served"):
    """Answer the next request; returns it."""
    srv_id, frame = player.request_of_ros()
    assert frame.destination == name
    player.respond(srv_id, name, answered(message))
    return deserialize_message(frame.payload, SetBool.Request)


def test_response_of_unity_reaches_its_caller_and_the_endpoint_lives_on(ros, unity, server):
    player = unity().offer("/fault1")
    for turn in ("first", "second"):
        future = ros.start_call("/fault1", TRUE, SetBool)
        serve_one(player, "/fault1", turn)
        ros.wait(future.done)
        assert future.result() == answered(turn)
    assert server.running


def test_unanswered_request_blocks_neither_other_services_nor_topics(ros, unity):
    slow, other = unity().offer("/fault2/slow"), unity().offer("/fault2/other").subscribe("/fault2/t", "std_msgs/Int32")
    pending = ros.start_call("/fault2/slow", TRUE, SetBool)
    slow.request_of_ros()
    future = ros.start_call("/fault2/other", TRUE, SetBool)
    serve_one(other, "/fault2/other")
    ros.wait(future.done)
    publisher = ros.create_publisher(Int32, "/fault2/t", 1)
    ros.wait(publisher.get_subscription_count)
    publisher.publish(Int32(data=7))
    assert other.next("/fault2/t")
    assert not pending.done()


def test_service_answers_again_after_unity_died_in_the_middle_of_a_request(ros, unity, eventually):
    player = unity().offer("/fault3")
    lost = ros.start_call("/fault3", TRUE, SetBool)
    player.request_of_ros()
    player.leave()
    ros.wait(lost.done)
    assert lost.result() == SetBool.Response(success=False, message="the player was lost")
    ros.wait(lambda: not ros.sees_service("/fault3"))
    again = unity().offer("/fault3")
    future = ros.start_call("/fault3", TRUE, SetBool)
    serve_one(again, "/fault3")
    ros.wait(future.done)
    assert future.result().success


def test_call_just_after_unity_left_does_not_hang_what_comes_later(ros, unity):
    player = unity().offer("/fault4")
    client = ros.create_client(SetBool, "/fault4")
    ros.wait(client.service_is_ready)
    player.leave()
    client.call_async(FALSE)
    again = unity().offer("/fault4")
    future = ros.start_call("/fault4", TRUE, SetBool)
    while serve_one(again, "/fault4") != TRUE:
        pass  # the early call, if it was not answered as lost
    ros.wait(future.done)
    assert future.result() == answered("served")


def test_call_just_after_unity_left_fails_when_it_does_not_return(ros, unity):
    player = unity().offer("/fault4/alone")
    client = ros.create_client(SetBool, "/fault4/alone")
    ros.wait(client.service_is_ready)
    player.leave()
    future = client.call_async(TRUE)
    ros.wait(future.done)
    assert future.result() == SetBool.Response(success=False, message="the player was lost")
    ros.wait(lambda: not ros.sees_service("/fault4/alone"))


def test_service_of_a_unity_that_is_gone_is_not_advertised(ros, unity, server):
    player = unity().offer("/fault5").publish("/fault5/t", "std_msgs/String")
    ros.wait(lambda: ros.sees_service("/fault5") and ros.count_publishers("/fault5/t"))
    player.leave()
    ros.wait(lambda: not ros.sees_service("/fault5") and not ros.count_publishers("/fault5/t"))
    assert server.running


def test_response_with_an_unknown_id_poisons_no_later_connection(ros, unity):
    poisoner = unity()
    poisoner.raw.command("__response", srv_id=424242)
    poisoner.raw.frame("/fault6", b"\0\1\0\0\1")
    assert poisoner.is_served()
    later = unity().offer("/fault6")
    assert later.next("__handshake")
    future = ros.start_call("/fault6", TRUE, SetBool)
    serve_one(later, "/fault6")
    ros.wait(future.done)


def test_command_that_cannot_be_understood_costs_no_connection(unity):
    player = unity()
    player.raw.command("__restart", now=True)
    player.raw.frame("__subscribe", b"{no json")
    assert "unknown command" in player.error()
    assert "not JSON" in player.error()
    assert player.is_served()


def test_each_unity_gets_the_requests_for_its_own_services(ros, unity):
    first, second = unity().offer("/fault8/first"), unity().offer("/fault8/second")
    for player, name in ((first, "/fault8/first"), (second, "/fault8/second"), (first, "/fault8/first")):
        future = ros.start_call(name, TRUE, SetBool)
        serve_one(player, name, name)
        ros.wait(future.done)
        assert future.result().message == name


def test_call_that_fails_is_answered_so_that_unity_need_not_wait_for_ever(endpoint_process, unity):
    player = unity(endpoint_process("ros.endpoint.service_timeout=0.5").port)
    for turn in ("not registered", "registered"):
        player.call_ros(101, "/nobody", TRUE)
        assert player.response_of_ros() == (101, b""), turn
        assert "service '/nobody' failed" in player.error(), turn
        player.raw.command("__ros_service", topic="/nobody", message_name="std_srvs/SetBool")


def test_waiting_for_a_ros_service_costs_no_processor(ros, unity, server):
    player = unity()
    player.raw.command("__ros_service", topic="/fault10", message_name="std_srvs/Trigger")
    requests = []

    ros.create_service(Trigger, "/fault10", lambda request, response: requests.append(request) or response)
    ros.wait(lambda: ros.count_clients("/fault10"))  # a service loses its answer to a client that it has not found
    player.call_ros(101, "/fault10", Trigger.Request())
    began, used = time.monotonic(), server.processor_time()
    while time.monotonic() - began < 1.0:  # nobody spins the node, so it does not answer
        pass
    share = (server.processor_time() - used) / (time.monotonic() - began)
    assert share < 0.3
    ros.wait(lambda: requests)
    assert player.response_of_ros()[0] == 101


def test_what_is_sent_to_unity_waits_for_no_acknowledgement():
    with Endpoint(port=0) as endpoint, socket.create_connection(("127.0.0.1", endpoint.port)):
        assert endpoint.wait_until(lambda: bool(endpoint.connections), timeout=5)
        with socket.socket(fileno=os.dup(endpoint.connections[0].fileno())) as server_side:
            assert server_side.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_endpoints_live_in_one_domain_on_ports_and_with_names_of_their_own(ros, unity, server, endpoint_process):
    other = endpoint_process("--ros-args", "-r", "__node:=second_endpoint", "-p", "ROS_IP:=127.0.0.1")
    assert other.port != server.port
    ros.wait(lambda: {"unity_endpoint", "second_endpoint"} <= set(ros.get_node_names()))
    here, there = unity().offer("/fault12/here"), unity(other.port).offer("/fault12/there")
    for player, name in ((here, "/fault12/here"), (there, "/fault12/there")):
        future = ros.start_call(name, TRUE, SetBool)
        serve_one(player, name, name)
        ros.wait(future.done)


def test_topic_list_has_types_and_services(ros, unity):
    player = unity().offer("/fault13/service").publish("/fault13/topic", "std_msgs/String")
    ros.wait(lambda: ros.sees_service("/fault13/service"))
    player.raw.command("__topic_list")
    listed = decode_command(player.next("__topic_list"))
    topics = dict(zip(listed["topics"], listed["types"], strict=True))
    services = dict(zip(listed["services"], listed["service_types"], strict=True))
    assert topics["/fault13/topic"] == "std_msgs/String"
    assert services["/fault13/service"] == "std_srvs/SetBool"


def test_topic_list_leaves_out_services_that_are_only_called(ros, unity):
    client = ros.create_client(SetBool, "/fault13/called")
    # Made after the client by the same node: where this is known, the client is.
    service = ros.create_service(SetBool, "/fault13/later", lambda request, response: response)
    player = unity()
    listed = []

    def is_listed():
        player.raw.command("__topic_list")
        listed[:] = decode_command(player.next("__topic_list"))["services"]
        return "/fault13/later" in listed

    ros.wait(is_listed)
    assert "/fault13/called" not in listed
    ros.destroy_client(client)
    ros.destroy_service(service)
