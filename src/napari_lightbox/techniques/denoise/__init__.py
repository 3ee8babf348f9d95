"""Techniques of the family denoise."""
