"""Between our volumes and napari's layers, without napari: data, keyword arguments, layer type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume, guess_axes, is_rgb
from napari_lightbox.axes.affine import scaling
from napari_lightbox.axes.tilt import straightened
from napari_lightbox.errors import InputError
from napari_lightbox.io.note import KEY
from napari_lightbox.io.pyramid import KEY as PYRAMID
from napari_lightbox.io.pyramid import levels_of
from napari_lightbox.io.units import short, spelled
from napari_lightbox.io.world import is_aligned

TILT = f"{KEY}-tilt"
LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
_MOST_CHANNELS = 7


def volume_to_layer(volume: Volume, *, channels: Literal["split", "axis"] = "split") -> LayerData:
    """Return ``(data, keyword arguments, layer type)`` for a volume.

    Parameters
    ----------
    channels
        ``"split"`` makes up to seven channels that are not colours layers of their own (napari's ``channel_axis``),
        ``"axis"`` leaves them as a slider.

    Returns
    -------
    The place is that of `place_of`, over the axes that napari shows: all but colour and split channels. Several levels come as
    a list with ``multiscale=True``.
    """
    levels = levels_of(volume.data, volume.metadata)
    metadata = {k: v for k, v in volume.metadata.items() if k != PYRAMID}
    arguments: dict[str, Any] = {"metadata": metadata | {KEY: volume.geometry.to_json()}}
    arguments |= {"name": volume.name} if volume.name else {}
    shown = volume.geometry
    if volume.role == "image":
        shown = _with_channels(volume, channels, arguments)
        if volume.metadata.get("photometric") == "MONOCHROME1" and not arguments["rgb"]:
            arguments["colormap"] = "gray_r"
    place = place_of(shown)
    arguments["metadata"] |= place.pop("metadata", {})
    arguments |= place | {"axis_labels": tuple(shown.axes), "units": tuple(spelled(u) or "pixel" for u in shown.units)}
    if len(levels) > 1:
        arguments["multiscale"] = True
    return (levels if len(levels) > 1 else volume.data), arguments, volume.role


def volume_from_layer_data(data: Any, attributes: Mapping[str, Any], layer_type: str) -> Volume:
    """Return the volume of a layer from what ``layer.as_layer_data_tuple()`` gives.

    Raises
    ------
    InputError
        The layer is not made of pixels.
    """
    if layer_type not in ("image", "labels"):
        raise InputError(
            str(attributes.get("name", "layer")), f"is a {layer_type} layer, not pixels", "Choose an Image or Labels layer"
        )
    array = data[0] if attributes.get("multiscale") else data
    array = array if hasattr(array, "dtype") else np.asarray(array)
    rgb = bool(attributes.get("rgb"))
    shown = array.ndim - rgb
    axes, guessed = _axes(array.shape, attributes, rgb)
    given = dict(attributes.get("metadata") or {})
    matrix = tilted(_matrix(attributes, shown), given)
    units = _units(attributes, shown)
    if rgb:
        grown = np.eye(shown + 2)
        grown[:shown, :shown], grown[:shown, -1] = matrix[:-1, :-1], matrix[:-1, -1]
        matrix, units = grown, (*units, "pixel")
    metadata = {k: v for k, v in given.items() if k not in (KEY, TILT)}
    metadata |= {"axes_guessed": True} if guessed else {}
    if attributes.get("multiscale"):
        metadata[PYRAMID] = tuple(data)
    return Volume(array, Geometry(axes, tuple(array.shape), matrix, units), metadata, layer_type, str(attributes.get("name", "")))  # type: ignore[arg-type]


def _with_channels(volume: Volume, channels: str, arguments: dict[str, Any]) -> Geometry:
    """Say what napari shall do with the channel axis; return the geometry of the others."""
    rgb = is_rgb(volume.axes, volume.shape) and volume.dtype in (np.uint8, np.uint16, np.float32, np.float64)
    arguments["rgb"] = rgb
    if rgb:
        return volume.geometry.without("c")
    if channels == "split" and "c" in volume.axes and volume.geometry.length("c") <= _MOST_CHANNELS:
        arguments["channel_axis"] = volume.axes.index("c")
        names = volume.metadata.get("channels")
        count = volume.geometry.length("c")
        known = names if isinstance(names, (list, tuple)) and len(names) == count else range(count)
        arguments["name"] = [f"{volume.name} {n}".strip() for n in known]
        return volume.geometry.without("c")
    return volume.geometry


def place_of(geometry: Geometry, *, straight: bool = True) -> dict[str, Any]:
    """Return the keywords that place a layer.

    A grid along the world axes becomes ``scale`` and ``translate``, any other ``scale`` and ``affine``. napari can neither show
    nor paint planes of voxels that are oblique to its sliders: such a grid is shown straight, and ``metadata`` holds its tilt.
    ``straight=False`` shows it obliquely all the same.
    """
    if is_aligned(geometry):
        return {"scale": geometry.spacing, "translate": geometry.origin}
    shown, tilt = straightened(geometry.affine) if straight else (geometry.affine, None)
    place = {"scale": geometry.spacing, "affine": shown @ np.linalg.inv(scaling(geometry.spacing))}
    return place if tilt is None else place | {"metadata": {TILT: tilt.tolist()}}


def tilted(matrix: NDArray[np.float64], metadata: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the matrix from a layer's indices to the world from the one napari shows it with."""
    tilt = metadata.get(TILT)
    return matrix if tilt is None or np.shape(tilt) != matrix.shape else np.asarray(tilt, float) @ matrix


def _axes(shape: tuple[int, ...], attributes: Mapping[str, Any], rgb: bool) -> tuple[str, bool]:
    labels = [str(a) for a in attributes.get("axis_labels") or ()]
    named = len(labels) == len(shape) - rgb and all(len(a) == 1 and a.isascii() and a.islower() for a in labels)
    if named and len(set(labels)) == len(labels):
        return "".join(labels) + "c" * rgb, False
    if rgb:
        return guess_axes(shape[:-1]).replace("c", "q") + "c", True
    return guess_axes(shape), True


def _matrix(attributes: Mapping[str, Any], ndim: int) -> NDArray[np.float64]:
    """Compose napari's parts: ``affine @ (translate, rotate, shear, scale)``."""
    scale = np.ones(ndim) if attributes.get("scale") is None else np.asarray(attributes["scale"], float)
    linear = _part(attributes, "rotate", ndim) @ _part(attributes, "shear", ndim) @ np.diag(scale)
    inner = np.eye(ndim + 1)
    inner[:-1, :-1] = linear
    if attributes.get("translate") is not None:
        inner[:-1, -1] = attributes["translate"]
    outer = attributes.get("affine")
    return inner if outer is None else np.asarray(getattr(outer, "affine_matrix", outer), float) @ inner


def _part(attributes: Mapping[str, Any], name: str, ndim: int) -> NDArray[np.float64]:
    """Return a rotation or shear as a matrix over all axes."""
    value = attributes.get(name)
    if value is None:
        return np.eye(ndim)
    array = np.asarray(value, float)
    if array.ndim == 2:
        return array
    if name == "rotate":
        angle = np.radians(float(array.ravel()[0]))
        matrix = np.eye(ndim)
        matrix[-2:, -2:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return matrix
    matrix = np.eye(ndim)
    matrix[np.triu_indices(ndim, 1)] = array.ravel()
    return matrix


def _units(attributes: Mapping[str, Any], ndim: int) -> tuple[str, ...]:
    given = attributes.get("units")
    if given is None:
        return ("pixel",) * ndim
    listed = [given] * ndim if isinstance(given, str) else list(given)
    return tuple(short(str(u)) for u in listed) if len(listed) == ndim else ("pixel",) * ndim
