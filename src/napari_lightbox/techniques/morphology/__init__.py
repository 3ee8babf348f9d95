"""Techniques of the family morphology."""
