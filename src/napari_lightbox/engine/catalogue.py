"""`lb.find` and `lb.technique`: questions about techniques, without running any."""

from __future__ import annotations

from napari_lightbox.contract import Technique, registry


def find(family: str | None = None, kind: str | None = None) -> list[Technique]:
    """Return the techniques of a family and kind, all by default, sorted by family and title."""
    return registry.find(family, kind)


def technique(id: str) -> Technique:  # noqa: A002
    """Return one technique.

    Raises
    ------
    UnknownTechniqueError
        There is none with this id; the message names the closest ones.
    """
    return registry.get(id)
