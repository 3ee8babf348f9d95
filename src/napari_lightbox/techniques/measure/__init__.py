"""Techniques of the family measure."""
