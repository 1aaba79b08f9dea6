"""The vehicle of the navigation scene as a robot that knows ROS alone: odometry, laser scan and goal out, twist in."""

import contextlib
import threading
import time

import numpy as np
from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import LaserScan
from std_srvs.srv import SetBool

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.players.navigation.scene import NavigationScene

PERIOD = 0.05


class Robot:
    """A node with a thread of its own.

    Attributes:
        twists: what was commanded on cmd_vel, as (time, linear.x, angular.z).
        shown: the same of the policy node's ~/action.
        talking: whether sensors publish.
    """

    def __init__(self, policy="/deploy"):
        self.twists, self.shown, self.talking = [], [], True
        self.scene = NavigationScene(sample_time=PERIOD)
        self.scene.reset(seed=5)
        self._response = (
            load_interfaces().service("interfaces_pkg/NavigationStep").response.layout(NavigationScene.lengths).empty(1)
        )
        self._write = self.scene.state_writer(self._response)
        self._context = Context()
        self._context.init()
        self.node = Node("robot", context=self._context)
        self._odometry = self.node.create_publisher(Odometry, "odom", 10)
        self._scan = self.node.create_publisher(LaserScan, "scan", 10)
        self._goal = self.node.create_publisher(PoseStamped, "goal_pose", 10)
        self.node.create_subscription(Twist, "cmd_vel", self._drive, 10)
        self.node.create_subscription(Twist, f"{policy}/action", lambda twist: self._note(self.shown, twist), 10)
        self._enable = self.node.create_client(SetBool, f"{policy}/enable")
        self.node.create_timer(PERIOD, self._advance)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    @property
    def position(self):
        return self.scene.data.qpos[:2].copy()

    def enable(self, wanted=True):
        """Call the policy's service; returns its message.

        A service that has not found its caller yet loses its answer, so that a caller has to ask again.
        """
        assert self._enable.wait_for_service(20)
        asked = (self._enable.call(SetBool.Request(data=wanted), timeout_sec=5) for _ in range(4))
        return next(response for response in asked if response is not None).message

    def since(self, moment):
        """The twists commanded after a moment, shape (number, 2)."""
        return np.array([twist[1:] for twist in list(self.twists) if twist[0] > moment]).reshape(-1, 2)

    def close(self):
        self._context.try_shutdown()
        self._thread.join(10)

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _note(self, list_, twist):
        list_.append((time.monotonic(), twist.linear.x, twist.angular.z))

    def _drive(self, twist):
        self._note(self.twists, twist)
        self.scene.drive(twist.linear.x, twist.angular.z)

    def _advance(self):
        self.scene.advance(self.scene.substeps)
        self._write()
        if not self.talking:
            return
        state = self._response.state
        odometry, scan, goal = Odometry(), LaserScan(), PoseStamped()
        _copy(state.pose, odometry.pose.pose)
        _copy(state.target, goal.pose)
        odometry.twist.twist.linear.x = float(state.twist.linear.x[0])
        odometry.twist.twist.angular.z = float(state.twist.angular.z[0])
        scan.ranges = state.lidar.ranges[0]
        scan.angle_increment = float(state.lidar.angle_increment[0])
        scan.range_max = float(state.lidar.range_max[0])
        self._odometry.publish(odometry)
        self._scan.publish(scan)
        self._goal.publish(goal)


def _copy(pose, message):
    message.position.x, message.position.y = float(pose.position.x[0]), float(pose.position.y[0])
    message.orientation.w, message.orientation.z = float(pose.orientation.w[0]), float(pose.orientation.z[0])
