"""What the endpoint says of its connections: on /diagnostics, and as a table."""

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.srv import GetParameters
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Int32
from std_srvs.srv import SetBool


def statuses(ros, found):
    """What /diagnostics says of a player, once `found` finds it among the statuses by name."""
    arrays, matching = [], []
    subscription = ros.create_subscription(DiagnosticArray, "/diagnostics", arrays.append, 10)

    def look():
        matching[:] = [status for array in arrays[-1:] for status in array.status if found(status)]
        return bool(matching)

    ros.wait(look)
    ros.destroy_subscription(subscription)
    return matching[0], {pair.key: pair.value for pair in matching[0].values}


def address(player):
    host, port = player.raw.socket.getsockname()
    return f"{host}:{port}"


def test_diagnostics_say_what_each_player_does(ros, unity):
    player = unity().offer("/stats/service").publish("/stats/topic", "std_msgs/Int32")
    pending = ros.start_call("/stats/service", SetBool.Request(), SetBool)
    player.request_of_ros()
    name = f"unity_endpoint: {address(player)}"

    def busy(status):
        player.send("/stats/topic", Int32(data=1))
        return status.name == name and status.values[2].value != "0.0"

    status, values = statuses(ros, busy)
    assert status.level == DiagnosticStatus.OK
    assert values["services"] == "/stats/service"
    assert values["topics"] == "1"
    assert values["unanswered requests"] == "1"
    assert float(values["bytes in per second"]) > float(values["messages in per second"]) > 0
    assert not pending.done()


def test_diagnostics_warn_of_a_player_that_reads_too_slowly(ros, unity):
    player = unity().subscribe("/stats/flood", "sensor_msgs/CompressedImage")
    publisher = ros.create_publisher(CompressedImage, "/stats/flood", 1)
    ros.wait(publisher.get_subscription_count)
    image = CompressedImage(data=bytes(1_000_000))
    name = f"unity_endpoint: {address(player)}"

    def slow(status):
        publisher.publish(image)
        return status.name == name and status.level == DiagnosticStatus.WARN

    status, values = statuses(ros, slow)
    assert "reads too slowly" in status.message
    assert int(values["dropped messages"]) > 0 or float(values["queue age (s)"]) > 1.0


def test_parameters_of_the_node_can_be_asked_for(ros, server):
    request = GetParameters.Request(names=["ROS_IP", "ROS_TCP_PORT"])
    answer = ros.call("/unity_endpoint/get_parameters", request, GetParameters)
    assert answer.values[0].string_value == "127.0.0.1"
    assert answer.values[1].integer_value == 0


def test_players_may_have_a_port_each(endpoint_process, unity):
    server = endpoint_process("ros.one_port_per_environment=true", "n_environments=3")
    assert len(set(server.ports)) == 3
    for port in server.ports:
        assert unity(port).next("__handshake")


def test_parameters_outweigh_the_configuration(endpoint_process):
    server = endpoint_process("ros.tcp_ip=127.0.0.1", "--ros-args", "-p", "ROS_IP:=::1")
    assert any("listening on [::1]:" in line for line in server.log)
