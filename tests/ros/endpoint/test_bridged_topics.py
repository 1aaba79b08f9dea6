"""Topics between Unity and plain ROS nodes."""

import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
from geometry_msgs.msg import TransformStamped, Twist
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Empty, Int32, String
from std_srvs.srv import SetBool
from tf2_msgs.msg import TFMessage

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def heard(ros, message_type, topic, qos=10):
    messages = []
    ros.create_subscription(message_type, topic, messages.append, qos)
    return messages


def test_message_of_unity_reaches_ros(ros, unity):
    player = unity().publish("/across/out", "std_msgs/String")
    messages = heard(ros, String, "/across/out")
    ros.wait(lambda: ros.count_publishers("/across/out"))
    ros.wait(lambda: player.send("/across/out", String(data="hello")) or ros.spin_until(lambda: messages, 0.2))
    assert messages[0] == String(data="hello")


def test_message_of_ros_reaches_unity_as_the_bytes_it_is(ros, unity):
    player = unity().subscribe("/across/in", "geometry_msgs/Twist")
    publisher = ros.create_publisher(Twist, "/across/in", 1)
    ros.wait(publisher.get_subscription_count)
    message = Twist()
    message.linear.x, message.angular.z = 0.5, -2.0
    publisher.publish(message)
    assert deserialize_message(player.next("/across/in").payload, Twist) == message


def test_message_without_fields_crosses_in_the_form_that_unity_sends(ros, unity):
    player = unity().publish("/across/empty", "std_msgs/Empty")
    messages = heard(ros, Empty, "/across/empty")
    ros.wait(lambda: ros.count_publishers("/across/empty"))
    header_only = lambda: player.raw.frame("/across/empty", b"\0\1\0\0")  # noqa: E731
    ros.wait(lambda: header_only() or ros.spin_until(lambda: messages, 0.2))


def test_message_of_one_unity_reaches_another_once(ros, unity):
    sender, receiver = (
        unity().publish("/across/both", "std_msgs/Int32"),
        unity().subscribe("/across/both", "std_msgs/Int32"),
    )
    ros.wait(lambda: ros.count_publishers("/across/both") and ros.count_subscribers("/across/both"))
    for number in range(3):
        sender.send("/across/both", Int32(data=number))
    got = [deserialize_message(receiver.next("/across/both").payload, Int32).data for _ in range(3)]
    assert got == [0, 1, 2]


def test_latched_message_of_unity_reaches_later_subscribers(ros, unity):
    player = unity().publish("/across/map", "std_msgs/String", latch=True)
    player.send("/across/map", String(data="kept"))
    assert player.is_served()
    messages = heard(ros, String, "/across/map", LATCHED)
    ros.wait(lambda: messages == [String(data="kept")])


def test_latched_message_of_ros_reaches_each_unity_that_subscribes_later(ros, unity):
    publisher = ros.create_publisher(String, "/across/description", LATCHED)
    publisher.publish(String(data="robot"))
    ros.wait(lambda: ros.count_publishers("/across/description"))
    for _ in range(2):
        player = unity().subscribe("/across/description", "std_msgs/String")
        assert deserialize_message(player.next("/across/description").payload, String).data == "robot"


def test_latched_topic_that_appears_after_its_subscriber_is_received_too(ros, unity):
    player = unity().subscribe("/across/late", "std_msgs/String")
    ros.wait(lambda: ros.count_subscribers("/across/late"))
    publisher = ros.create_publisher(String, "/across/late", LATCHED)
    publisher.publish(String(data="late"))
    assert deserialize_message(player.next("/across/late").payload, String).data == "late"


def test_topic_of_a_publisher_that_offers_its_best_only_is_received(ros, unity):
    player = unity().subscribe("/across/besteffort", "std_msgs/Int32")
    publisher = ros.create_publisher(Int32, "/across/besteffort", qos_profile_sensor_data)
    ros.wait(publisher.get_subscription_count)
    publisher.publish(Int32(data=4))
    assert player.next("/across/besteffort")


def test_qos_of_a_topic_is_what_the_configuration_says(ros, unity, endpoint_process, tmp_path):
    (tmp_path / "config.yml").write_text(
        "ros:\n  endpoint:\n    qos:\n"
        "      /asked/*: {reliability: best_effort, durability: transient_local, depth: 3}\n"
        "      /asked/first_match_counts: {reliability: reliable}\n"
    )
    player = unity(endpoint_process(folder=tmp_path).port).publish("/asked/first_match_counts", "std_msgs/Int32")
    player.subscribe("/asked/wanted", "std_msgs/Int32")
    ros.wait(lambda: ros.count_publishers("/asked/first_match_counts") and ros.count_subscribers("/asked/wanted"))
    (published,) = ros.get_publishers_info_by_topic("/asked/first_match_counts")
    (wanted,) = ros.get_subscriptions_info_by_topic("/asked/wanted")
    for info in (published, wanted):
        assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
        assert info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_clock_of_unity_drives_a_node_that_uses_simulated_time(ros, unity):
    player = unity().publish("/clock", "rosgraph_msgs/Clock")
    messages = heard(ros, Clock, "/clock", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    now = Clock()
    now.clock.sec = 42
    ros.wait(lambda: player.send("/clock", now) or ros.spin_until(lambda: messages, 0.2))
    assert messages[0].clock.sec == 42


def test_transforms_cross_both_ways(ros, unity):
    player = unity().publish("/tf", "tf2_msgs/TFMessage").subscribe("/tf", "tf2_msgs/TFMessage")
    messages = heard(ros, TFMessage, "/tf")
    sent = TFMessage(transforms=[TransformStamped(child_frame_id="base_link")])
    ros.wait(lambda: player.send("/tf", sent) or ros.spin_until(lambda: messages, 0.2))
    assert messages[0] == sent
    assert deserialize_message(player.next("/tf").payload, TFMessage) == sent


def test_images_for_a_unity_that_stops_reading_are_dropped_but_for_the_newest(ros, unity, server):
    player, other = unity().subscribe("/across/camera", "sensor_msgs/CompressedImage"), unity().offer("/across/alive")
    publisher = ros.create_publisher(CompressedImage, "/across/camera", qos_profile_sensor_data)
    ros.wait(publisher.get_subscription_count)
    image = CompressedImage(data=bytes(500_000))
    for number in range(100):
        image.format = str(number)
        publisher.publish(image)
        ros.spin_until(lambda: False, 0.005)
    ros.start_call("/across/alive", SetBool.Request(), SetBool)
    assert other.request_of_ros()
    began, numbers = time.monotonic(), []
    while not numbers or numbers[-1] < 99:
        numbers.append(int(deserialize_message(player.next("/across/camera").payload, CompressedImage).format))
    assert numbers == sorted(numbers)
    assert len(numbers) < 50, "a queue that grows was sent in full"
    assert time.monotonic() - began < 20.0
    assert server.running


def test_type_that_is_not_installed_is_an_error_for_unity_and_nothing_more(ros, unity):
    player = unity()
    for type_name in ("nothing_msgs/Int32", "std_msgs/Int33", "antigravity/Int32", "os/path"):
        player.subscribe("/across/strange", type_name)
        assert type_name.partition("/")[0] in player.error()
    player.subscribe("not a name!", "std_msgs/Int32")
    assert "no name that ROS takes" in player.error()
    assert player.is_served()


def test_payload_of_another_type_is_not_published(ros, unity):
    player = unity().publish("/across/garbage", "std_msgs/String")
    messages = heard(ros, String, "/across/garbage")
    ros.wait(lambda: ros.count_publishers("/across/garbage"))
    player.raw.frame("/across/garbage", b"\0\1\0\0\xff\xff\xff\xff")
    assert "a message is no String" in player.error()
    ros.wait(lambda: player.send("/across/garbage", String(data="fine")) or ros.spin_until(lambda: messages, 0.2))
    assert messages[0].data == "fine"
