"""ROS 2: nodes, their lifetime, and message types. Only what imports from here needs rclpy."""
