"""Episodes as ROS 2 bags (MCAP), which Foxglove, RViz and `ros2 bag play` open."""
