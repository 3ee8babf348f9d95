"""Techniques of the family segment classical."""
