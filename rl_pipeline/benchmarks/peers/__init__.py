"""Minimal peers of benchmarks, each a script that runs in a process of its own and only answers."""
