"""Navigation scene: a tracked vehicle drives between obstacles to a goal zone."""
