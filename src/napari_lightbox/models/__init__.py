"""Learned models: cards, the folder they are kept in, loading, tiled prediction, training."""
