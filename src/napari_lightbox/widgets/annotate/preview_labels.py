"""The preview: what engines gave so far, in a layer of its own, until it is accepted or discarded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels

from napari_lightbox.engine.request import Region
from napari_lightbox.widgets.annotate.plan import Piece
from napari_lightbox.widgets.annotate.scope import covers, slabs, within
from napari_lightbox.widgets.annotate.seeds import blank_layer
from napari_lightbox.widgets.annotate.steps import Steps
from napari_lightbox.widgets.arrival import bring_in
from napari_lightbox.widgets.layers import METADATA

if TYPE_CHECKING:
    from napari.components import ViewerModel

NAME = "Preview"
_OPACITY = 0.45
_AT_ONCE = 500_000


class PreviewLabels:
    """Collects the pieces of one image; a newer piece replaces the older ones where it lies."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.pieces: list[Piece] = []
        self.layer: Labels | None = None

    def add(self, piece: Piece, background: int) -> Steps:
        """Show a piece in steps; background is left out."""
        if self.pieces and self.pieces[-1].plan.image is not piece.plan.image:
            self.clear()
        layer = self._shown(piece)
        self.pieces = [old for old in self.pieces if not covers(piece.region, old.region)] + [piece]
        for part in slabs(piece.region, _AT_ONCE):
            labels = piece.labels[within(part, piece.region)]
            layer.data[part] = np.where(labels == background, 0, labels)
            yield
        layer.refresh()

    def empty(self) -> None:
        """Forget everything and keep the layer for what comes next."""
        for piece in self.pieces:
            if self.layer is not None:
                self.layer.data[piece.region] = 0
        self.pieces = []
        if self.layer is not None:
            self.layer.refresh()

    def drop(self, region: Region) -> None:
        """Forget the pieces inside a region: what they were made from is gone."""
        gone = [piece for piece in self.pieces if covers(region, piece.region)]
        self.pieces = [piece for piece in self.pieces if piece not in gone]
        if gone and self.layer is not None:
            for piece in gone:
                self.layer.data[piece.region] = 0
            self.layer.refresh()
        if not self.pieces:
            self.clear()

    def clear(self) -> None:
        """Forget everything and take the layer away."""
        self.pieces = []
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _shown(self, piece: Piece) -> Labels:
        if self.layer is not None and self.layer in self._viewer.layers:
            return self.layer
        layer = blank_layer(piece.plan.image, piece.plan.axes, NAME)
        layer.metadata = {METADATA: {"preview": True}}
        layer.opacity = _OPACITY
        layer.editable = False
        layers = self._viewer.layers
        below = layers.index(piece.plan.seeds) if piece.plan.seeds in layers else len(layers)
        bring_in(self._viewer, layer, below)
        # a layer that somebody deleted by hand begins anew: earlier pieces went with it
        self.pieces = []
        self.layer = layer
        return layer
