"""Callbacks of a training: one file for each, called in the order that training_callbacks.py documents."""
