"""Techniques of the family segment interactive."""
