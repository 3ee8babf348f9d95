"""Benchmark cases, one file per family."""
