"""A node that knows nothing of this project: it steps a simulator, watches its camera and drives it by a topic."""

import sys

import rclpy
from geometry_msgs.msg import Twist
from interfaces_pkg.srv import NavigationReset, NavigationStep
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage

rclpy.init()
node = rclpy.create_node("anybody")
images = []
node.create_subscription(CompressedImage, "/navigation_0/camera", images.append, qos_profile_sensor_data)
command = node.create_publisher(Twist, "/navigation_0/command", 1)


def call(service, name, request):
    client = node.create_client(service, f"/navigation_0/{name}")
    if not client.wait_for_service(timeout_sec=20):
        sys.exit(f"no service {name}")
    future = client.call_async(request)
    rclpy.spin_until_future_complete(node, future, timeout_sec=20)
    return future.result()


start = call(NavigationReset, "reset", NavigationReset.Request(seed=3)).state.pose
while not images or not command.get_subscription_count():
    rclpy.spin_once(node, timeout_sec=1)
twist = Twist()
twist.angular.z = 1.0
turned = start
for _ in range(20):
    command.publish(twist)
    before = len(images)
    while len(images) == before:
        rclpy.spin_once(node, timeout_sec=1)
standing = NavigationStep.Request()
end = call(NavigationStep, "step", standing).state.pose
print(f"images {len(images)} {images[-1].format} {bytes(images[-1].data[:3]).hex()}")
print(f"turned {abs(end.orientation.z - start.orientation.z):.3f}")
rclpy.shutdown()
