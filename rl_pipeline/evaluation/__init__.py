"""Agents, policies, rollouts, comparison of agents, and checks of environments."""
