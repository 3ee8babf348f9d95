"""Techniques of the family intensity."""
