"""ROS 2 nodes around the verbs of rl-pipeline; each is a module with a `main`, and an executable of the package."""
