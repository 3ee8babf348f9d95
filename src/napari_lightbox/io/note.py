"""The note we leave in a file: what the format itself cannot say about a volume.

It holds the exact geometry, the role, the name and the recipe. Other programs ignore it; the format's own
fields are always written as well, and win when somebody changed them since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import LightboxError
from napari_lightbox.io.world import with_axes

KEY = "napari-lightbox"
Stated: TypeAlias = Literal["affine", "spacing", "nothing"]


def note_of(volume: Volume, axes: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the note for `volume` as stored.

    `axes` are those to return to when it is read, ``stored=`` the letters that the file gives to them, ``dtype=`` the dtype
    to return to; what is None is left out.
    """
    note: dict[str, Any] = {"version": 1, "geometry": volume.geometry.to_json(), "axes": axes or volume.axes, "role": volume.role}
    note |= {"name": volume.name} if volume.name else {}
    note |= {"provenance": provenance} if (provenance := _plain(volume.metadata.get("provenance"))) else {}
    return note | {k: v for k, v in more.items() if v is not None}


def to_text(note: Mapping[str, Any]) -> str:
    """Return the note as one line of ASCII."""
    return json.dumps({KEY: note}, separators=(",", ":"))


def from_text(text: str | bytes | None) -> dict[str, Any] | None:
    """Return the note in `text`, or None when there is none."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    begin = (text or "").find(f'{{"{KEY}":')
    if text is None or begin < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[begin:])
    except ValueError:
        return None
    note = found.get(KEY)
    return note if isinstance(note, dict) else None


def restored(volume: Volume, note: Any, *, stated: Stated) -> Volume:
    """Return `volume` with what the note knows.

    Parameters
    ----------
    stated
        What the format itself states, and what must agree for the note's geometry to be believed.
    """
    if not isinstance(note, Mapping) or note.get("version") != 1:
        return volume
    kept = replace(
        volume,
        role="labels" if note.get("role") == "labels" and np.dtype(volume.dtype).kind in "biu" else volume.role,
        name=str(note.get("name") or volume.name),
        metadata=dict(volume.metadata) | ({"provenance": note["provenance"]} if "provenance" in note else {}),
    )
    try:
        geometry = Geometry.from_json(note["geometry"])
        renamed = dict(zip(str(note.get("stored", geometry.axes)), geometry.axes, strict=True))
        found = replace(volume.geometry, axes="".join(renamed.get(a, a) for a in volume.axes))
        kept = with_axes(replace(kept, geometry=found), geometry.axes)
        if not _agrees(geometry, kept.geometry, found.axes, stated):
            return replace(kept, data=volume.data, geometry=volume.geometry)
        kept = with_axes(replace(kept, geometry=geometry), str(note.get("axes", geometry.axes)))
        return kept if "dtype" not in note else kept.with_data(kept.data.astype(np.dtype(note["dtype"])))
    except (KeyError, TypeError, ValueError, IndexError, LightboxError):
        return replace(kept, data=volume.data, geometry=volume.geometry)


def _agrees(noted: Geometry, found: Geometry, in_file: str, stated: Stated) -> bool:
    """Tell whether the file still says what it said when the note was written, for the axes that are `in_file`.

    A time step of one is what a file has that cannot state it.
    """
    if noted.shape != found.shape:
        return False
    if stated == "nothing":
        return True
    others = "".join(a for a in in_file if a == "t" or (a in "zyx" and stated == "spacing"))
    steps = zip(noted.spacing_along(others), found.spacing_along(others), strict=True)
    if not all(np.isclose(n, f, rtol=1e-4) or (a == "t" and f == 1) for a, (n, f) in zip(others, steps, strict=True)):
        return False
    if stated == "spacing":
        return True
    here, there = noted.select(noted.spatial), found.select(found.spatial)
    return bool(np.allclose(here.affine, there.affine, rtol=1e-5, atol=1e-5 * max(here.spacing, default=1.0)))


def _plain(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return None
