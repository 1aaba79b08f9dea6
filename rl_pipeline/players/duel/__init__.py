"""Duel scene: two tracked vehicles with turrets; each has to destroy the other."""
