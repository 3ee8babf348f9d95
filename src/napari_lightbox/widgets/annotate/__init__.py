"""Annotate: paint seeds, let interchangeable engines grow them into objects, correct and accept."""
