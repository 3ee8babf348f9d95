"""Measurements of the server: each part starts real processes on loopback."""
