"""What dimensions mean."""

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.axes.guess import guess_axes
from napari_lightbox.axes.order import check_axes, is_rgb, spatial_axes
from napari_lightbox.axes.volume import Volume

__all__ = ["Geometry", "Volume", "check_axes", "guess_axes", "is_rgb", "spatial_axes"]
