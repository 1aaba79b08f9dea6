"""Environments without players: those of Gymnasium and of simulators that are registered by name."""
