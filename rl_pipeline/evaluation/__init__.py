"""Agents, policies and rollouts: everything that judges a trained agent."""
