"""Loggers of a run: files, terminal and trackers."""
