"""Layers as the finder sees them: which roles they can play and what their pixels are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels, Layer

from napari_lightbox.errors import AxesError
from napari_lightbox.widgets.finder_fit import ROLES, Offer
from napari_lightbox.widgets.layers import data_shape, is_preview, suggest_axes
from napari_lightbox.widgets.values import accepts

if TYPE_CHECKING:
    from napari.components import ViewerModel


def offer_of(layer: Layer) -> Offer:
    """Return what a layer offers, without reading a pixel."""
    roles = frozenset(role for role in ROLES if accepts(role, layer))
    if isinstance(layer, (Image, Labels)):
        try:
            return Offer(roles, suggest_axes(layer)[0], data_shape(layer))
        except AxesError:
            return Offer(frozenset())
    return Offer(roles)


def offers(viewer: ViewerModel) -> tuple[Offer | None, list[Offer]]:
    """Return what the selected layer offers, None without one, and what all others do."""
    active = viewer.layers.selection.active
    selected = active if active is not None and not is_preview(active) else None
    others = [offer_of(layer) for layer in viewer.layers if layer is not selected]
    return (None if selected is None else offer_of(selected)), others


def in_words(layer: Layer | None) -> str:
    """Return what a layer is, such as ``"head (image, z y x)"``."""
    if layer is None:
        return "no layer selected"
    kind = type(layer).__name__.lower()
    axes = offer_of(layer).axes
    return f"{layer.name} ({kind}, {' '.join(axes)})" if axes else f"{layer.name} ({kind})"
