"""Hyperparameter search: Ray Tune runs the trials, Optuna samples their settings and prunes them."""
