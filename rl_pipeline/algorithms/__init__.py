"""Algorithms: registry, hyperparameters, and models built from the configuration."""

from rl_pipeline.algorithms.registration import algorithm_names, find_algorithm, register_algorithm

__all__ = ["algorithm_names", "find_algorithm", "register_algorithm"]
