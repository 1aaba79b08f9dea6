"""Train reinforcement-learning agents on parallel robot simulators, over the wire protocol of real deployments."""

__version__ = "0.1.0"
