"""Callbacks of a training, on Stable-Baselines3's `BaseCallback`."""
