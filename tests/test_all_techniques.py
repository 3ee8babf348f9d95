"""Every registered technique keeps the promises of the contract."""

from __future__ import annotations

from tests.technique_hints import HINTS

from napari_lightbox.contract import registry
from napari_lightbox.testing.technique_suite import TechniqueSuite


class TestEveryTechnique(TechniqueSuite):
    techniques = tuple(t.id for t in registry.find())
    hints = HINTS
