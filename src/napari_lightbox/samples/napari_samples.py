"""Sample data for napari: ``napari_samples.<name>`` loads the sample of that name as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_lightbox.samples.catalog import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable


def __getattr__(name: str) -> Callable[[], list[Any]]:
    """Return the command behind one sample of the manifest."""
    if name not in SAMPLES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def load() -> list[Any]:
        from napari_lightbox.io.layer_data import volume_to_layer

        return [volume_to_layer(volume) for volume in SAMPLES[name].load()]

    load.__name__ = name
    return load
