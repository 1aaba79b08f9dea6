"""Searches for hyperparameters: Ray Tune runs the trials, Optuna chooses what to try and which trials to end early."""
