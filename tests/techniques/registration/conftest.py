"""Fixtures of this family's tests."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator that starts anew in every test."""
    return np.random.default_rng(20240607)
