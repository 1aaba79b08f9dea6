"""Tasks, one file each: observation, action, reward and end of an episode in a scene."""
