"""What TIFF flavours (OME, ImageJ, tifffile's own, LSM) say about axes, spacing and place."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from napari_lightbox.axes import Geometry, guess_axes
from napari_lightbox.io.note import KEY, from_text
from napari_lightbox.io.units import metres, short, spelled

_LETTERS = {"T": "t", "Z": "z", "C": "c", "Y": "y", "X": "x"}
_SPARE = "qrpuvwhlemaki"
_UNKNOWN = "QI"


def our_axes(letters: str, shape: tuple[int, ...]) -> tuple[str, bool]:
    """Return our letters for tifffile's, and whether they are a guess.

    Pages that nobody named (``I``, ``Q``) get the axes that `guess_axes` gives to such an array.
    """
    colour = letters.endswith("S")
    if any(a in _UNKNOWN for a in letters) and set(letters) <= set("QIYXS") and len(letters) - colour <= 5:
        return guess_axes(shape[: len(shape) - colour]) + "c" * colour, True
    axes = ""
    taken = set(_LETTERS.values())
    for position, letter in enumerate(letters):
        last_colour = letter == "S" and position == len(letters) - 1
        ours = "c" if last_colour else _LETTERS.get(letter, letter.lower())
        if (letter == "C" and colour) or ours in axes or (letter not in _LETTERS and not last_colour and ours in taken):
            ours = next(a for a in _SPARE if a not in axes and a not in taken)
        axes += ours
    return axes, False


def note_in(tif: Any) -> dict[str, Any] | None:
    """Return the note that we left in the file."""
    for shaped in tif.shaped_metadata or ():
        if isinstance(shaped.get(KEY), dict):
            return dict(shaped[KEY])
    if tif.is_imagej:
        return from_text((tif.imagej_metadata or {}).get("Info"))
    return from_text(html.unescape(tif.ome_metadata)) if tif.is_ome else None


def geometry_in(tif: Any, number: int, axes: str, shape: tuple[int, ...]) -> Geometry:
    """Return the geometry of series `number`."""
    spacing: dict[str, float] = {}
    origin: dict[str, float] = {}
    units: dict[str, str] = {}
    if tif.is_ome:
        spacing, origin, units = _ome(tif.ome_metadata, number)
    elif tif.is_imagej:
        spacing, units = _imagej(tif)
    elif tif.is_lsm:
        found = {a: float((tif.lsm_metadata or {}).get(f"VoxelSize{a.upper()}", 0)) * 1e6 for a in "zyx"}
        spacing, units = {a: v for a, v in found.items() if v > 0}, dict.fromkeys("zyx", "um")
    return Geometry.of(
        axes,
        shape,
        {a: v for a, v in spacing.items() if v > 0},
        [origin.get(a, 0.0) for a in axes],
        [units.get(a, "pixel") for a in axes],
    )


def _ome(text: str, number: int) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    pixels = [e for e in ElementTree.fromstring(text).iter() if e.tag.endswith("}Pixels")]
    if number >= len(pixels):
        return {}, {}, {}
    attributes = pixels[number].attrib
    spacing, units, origin = {}, {}, {}
    for axis, key in (("z", "PhysicalSizeZ"), ("y", "PhysicalSizeY"), ("x", "PhysicalSizeX"), ("t", "TimeIncrement")):
        if key in attributes:
            spacing[axis] = float(attributes[key])
            units[axis] = short(attributes.get(key + "Unit", "s" if axis == "t" else "um"))
    plane = next((e for e in pixels[number] if e.tag.endswith("}Plane")), None)
    for axis in "zyx":
        if plane is not None and f"Position{axis.upper()}" in plane.attrib:
            there = metres(short(plane.attrib.get(f"Position{axis.upper()}Unit")))
            here = metres(units.get(axis, "pixel"))
            ratio = there / here if there and here else 1.0
            origin[axis] = float(plane.attrib[f"Position{axis.upper()}"]) * ratio
    return spacing, origin, units


def _imagej(tif: Any) -> tuple[dict[str, float], dict[str, str]]:
    found = tif.imagej_metadata or {}
    unit = short(str(found.get("unit", "")))
    spacing, units = {}, dict.fromkeys("zyx", unit)
    for axis, tag in (("y", "YResolution"), ("x", "XResolution")):
        if tag in tif.pages[0].tags:
            above, below = tif.pages[0].tags[tag].value
            spacing[axis] = below / above if above and below else 0.0
    spacing["z"] = abs(float(found.get("spacing", 0.0)))
    if float(found.get("finterval", 0.0)) > 0:
        spacing["t"], units["t"] = float(found["finterval"]), short(str(found.get("tunit", "s")))
    return spacing, units


def imagej_fields(geometry: Geometry, letters: str, note: str) -> dict[str, Any]:
    """Return the arguments of `TiffWriter.write` that carry `geometry` for ImageJ."""
    steps, units = dict(zip(letters, geometry.spacing, strict=True)), dict(zip(letters, geometry.units, strict=True))
    metadata: dict[str, Any] = {"axes": letters, "Info": note}
    if units["X"] != "pixel":
        metadata["unit"] = "micron" if units["X"] == "um" else units["X"].encode("ascii", "backslashreplace").decode()
    if "Z" in steps:
        metadata["spacing"] = steps["Z"]
    if "T" in steps and units["T"] != "pixel":
        metadata |= {"finterval": steps["T"], "tunit": units["T"]}
    return {"metadata": metadata, "resolution": (1 / steps["X"], 1 / steps["Y"])}


def ome_fields(geometry: Geometry, letters: str, note: str, name: str, channels: Any) -> dict[str, Any]:
    """Return the OME metadata that carries `geometry`."""
    steps, units = dict(zip(letters, geometry.spacing, strict=True)), dict(zip(letters, geometry.units, strict=True))
    starts = dict(zip(letters, geometry.origin, strict=True))
    metadata: dict[str, Any] = {"axes": letters, "MapAnnotation": {"Namespace": KEY, "note": note}}
    metadata |= {"Name": name} if name else {}
    for letter, key in (("X", "PhysicalSizeX"), ("Y", "PhysicalSizeY"), ("Z", "PhysicalSizeZ"), ("T", "TimeIncrement")):
        if letter in steps and (spelled(units[letter]) or (letter != "T" and steps[letter] != 1)):
            metadata |= {key: steps[letter], key + "Unit": _symbol(units[letter])}
    count = 1
    for letter, length in zip(letters, geometry.shape, strict=True):
        count *= length if letter in "TCZ" else 1
    spatial = {k: v for k, v in starts.items() if k in "XYZ"}
    if any(spatial.values()) and count <= 10_000:
        metadata["Plane"] = {f"Position{k}": [v] * count for k, v in spatial.items()}
        metadata["Plane"] |= {f"Position{k}Unit": [_symbol(units[k])] * count for k in spatial}
    if isinstance(channels, (list, tuple)) and "C" in letters and len(channels) == geometry.shape[letters.index("C")]:
        metadata["Channel"] = {"Name": [str(c) for c in channels]}
    return metadata


def _symbol(unit: str) -> str:
    return {"um": "µm", "pixel": "pixel"}.get(unit, unit)


def channel_names(tif: Any, number: int) -> list[str] | None:
    """Return the channel names of an OME series, when it has some."""
    if not tif.is_ome:
        return None
    pixels = [e for e in ElementTree.fromstring(tif.ome_metadata).iter() if e.tag.endswith("}Pixels")]
    names = [e.attrib.get("Name", "") for e in pixels[number] if e.tag.endswith("}Channel")] if number < len(pixels) else []
    return names if any(names) else None


def header_of(tif: Any) -> Mapping[str, Any]:
    """Return what the file says besides pixels, for people to read."""
    if tif.is_ome:
        return {"ome_xml": tif.ome_metadata}
    if tif.is_imagej:
        return {k: v for k, v in (tif.imagej_metadata or {}).items() if isinstance(v, (str, int, float, bool))}
    tags = ("ImageDescription", "Software", "DateTime", "Make", "Model")
    return {t: str(tif.pages[0].tags[t].value)[:10_000] for t in tags if t in tif.pages[0].tags}
