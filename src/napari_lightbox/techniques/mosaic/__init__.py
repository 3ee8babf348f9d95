"""Techniques of the family mosaic."""
