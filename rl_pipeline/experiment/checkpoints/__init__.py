"""Checkpoints: models, states and replay buffers that a run resumes from."""
