"""Files in and out: one format per module, reader and writer side by side."""
