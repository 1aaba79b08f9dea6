"""Backends: the ways in which a request reaches a player."""
