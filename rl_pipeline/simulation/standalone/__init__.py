"""Launcher of players for a machine with Python and PyYAML, without the package installed."""
