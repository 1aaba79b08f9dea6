"""The ROS-TCP protocol: frames, the endpoint that players connect to, and batched service calls."""
