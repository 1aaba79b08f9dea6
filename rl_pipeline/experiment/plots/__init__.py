"""Plots and reports of experiments."""
