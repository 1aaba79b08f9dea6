"""The duel scene: two tracked vehicles with turrets, each of which is to destroy the other."""
