"""Techniques of the family restore."""
