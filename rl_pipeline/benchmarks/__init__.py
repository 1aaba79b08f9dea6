"""Measurements that anyone can repeat, each a ratio of things measured side by side in one run."""
