"""Benchmarks of `rl-pipeline benchmark`, one file each; see `registration` to add one."""
