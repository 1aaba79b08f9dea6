"""Tasks, one file each: what the agent sees and does in a scene, and what it is rewarded for."""
