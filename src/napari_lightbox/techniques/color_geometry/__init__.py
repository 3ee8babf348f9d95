"""Techniques of the family color geometry."""
