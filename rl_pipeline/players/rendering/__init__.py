"""Frames of MuJoCo scenes, rendered by OpenGL if the machine has it, else painted on the CPU."""
