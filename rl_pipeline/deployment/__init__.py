"""Trained policies outside of training: exported files for other programs, and ROS 2 nodes on robots."""
