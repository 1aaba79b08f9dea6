"""A ROS domain of this test session's own, the one of tests/ros."""

import os

# Below the domains whose ports other programs are given by the kernel.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
