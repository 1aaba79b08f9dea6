"""ROS 2: nodes, their lifetime, message types and the bridge. Only importers of this package need rclpy."""
