"""RLTrainer, and everything that belongs to one training: plan, run, callbacks, result."""
