"""What the verbs of the command do: train, play, evaluate and the rest."""
