"""Techniques of the family learned."""
