"""Techniques of the family video."""
