"""Frames of MuJoCo scenes: by GL where the machine has it, else by a painter."""
