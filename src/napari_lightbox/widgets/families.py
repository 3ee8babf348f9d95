"""Families of techniques as people see them: a name and a place in napari's Layers menu."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """How one family appears.

    Parameters
    ----------
    title
        Name of the submenu and prefix of every display name.
    menu
        Menu of napari the submenu hangs in.
    """

    title: str
    menu: str


FAMILIES = {
    "color_geometry": Family("Colour and geometry", "napari/layers/transform"),
    "denoise": Family("Denoise", "napari/layers/filter"),
    "edges": Family("Edges", "napari/layers/filter"),
    "inpaint": Family("Inpaint", "napari/layers/filter"),
    "intensity": Family("Intensity", "napari/layers/filter"),
    "learned": Family("Learned models", "napari/layers/segment"),
    "measure": Family("Measurements", "napari/layers/measure"),
    "morphology": Family("Morphology", "napari/layers/filter"),
    "mosaic": Family("Fuse and stitch", "napari/layers/register"),
    "registration": Family("Align", "napari/layers/register"),
    "restore": Family("Restore", "napari/layers/filter"),
    "segment_classical": Family("Segment automatically", "napari/layers/segment"),
    "segment_interactive": Family("Segment from seeds", "napari/layers/segment"),
    "threshold": Family("Threshold", "napari/layers/segment"),
    "video": Family("Video", "napari/layers/track"),
}


def family(name: str) -> Family:
    """Return how a family appears; one that nobody described goes to the filters under its own name."""
    return FAMILIES.get(name) or Family(name.replace("_", " ").capitalize(), "napari/layers/filter")
