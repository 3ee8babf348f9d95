"""Techniques of the family edges."""
