"""Networks: feature extractors and the blocks they are built of."""
