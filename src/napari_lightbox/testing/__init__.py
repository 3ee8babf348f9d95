"""Suites that every technique, format and runner passes, to subclass for your own; a hand that drives the window."""

from napari_lightbox.testing.examples import Example, make_example
from napari_lightbox.testing.format_suite import FormatSuite
from napari_lightbox.testing.hand import Hand
from napari_lightbox.testing.runner_suite import RunnerSuite
from napari_lightbox.testing.sources import WatchedArray
from napari_lightbox.testing.technique_suite import Hint, TechniqueSuite

__all__ = ["Example", "FormatSuite", "Hand", "Hint", "RunnerSuite", "TechniqueSuite", "WatchedArray", "make_example"]
