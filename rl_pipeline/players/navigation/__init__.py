"""The navigation scene: a tracked vehicle finds its way among obstacles and stands in a goal zone."""
