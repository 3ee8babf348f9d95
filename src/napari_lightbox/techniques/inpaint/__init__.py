"""Techniques of the family inpaint."""
