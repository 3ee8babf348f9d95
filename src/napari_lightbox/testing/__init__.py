"""Suites that every technique, format and runner passes; subclass them for your own."""

from napari_lightbox.testing.examples import Example, make_example
from napari_lightbox.testing.format_suite import FormatSuite
from napari_lightbox.testing.runner_suite import RunnerSuite
from napari_lightbox.testing.sources import WatchedArray
from napari_lightbox.testing.technique_suite import Hint, TechniqueSuite

__all__ = ["Example", "FormatSuite", "Hint", "RunnerSuite", "TechniqueSuite", "WatchedArray", "make_example"]
