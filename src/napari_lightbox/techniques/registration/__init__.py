"""Techniques of the family registration."""
