"""Backends: ways in which requests reach players and responses come back."""

from rl_pipeline.backends.registration import register_backend as register_backend
