"""A trained policy on a robot: topics as state and action, and the node that runs it."""
