"""Techniques, one folder per family, one file per technique."""
