"""The experiment folder, and all that a run leaves in it."""
