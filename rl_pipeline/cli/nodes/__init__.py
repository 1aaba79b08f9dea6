"""Verbs of `rl-pipeline` as nodes of a ROS graph."""
