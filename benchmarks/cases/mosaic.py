"""Panorama stitching calls OpenCV for all of its work and has no peer in scikit-image: there is nothing to compare."""

from __future__ import annotations

from benchmarks.case import Case

CASES: list[Case] = []
