"""Techniques of the family threshold."""
