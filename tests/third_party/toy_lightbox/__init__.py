"""A third-party package with one technique."""
