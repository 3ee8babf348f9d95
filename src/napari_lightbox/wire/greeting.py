"""What both sides tell each other first, and why they may part again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_lightbox.errors import VersionError
from napari_lightbox.wire.protocol import PROTOCOL


@dataclass(frozen=True)
class Greeting:
    """One side of a connection.

    Parameters
    ----------
    version
        Version of napari-lightbox.
    protocol
        Version of the protocol.
    """

    version: str
    protocol: int = PROTOCOL

    def to_json(self) -> dict[str, Any]:
        """Return the greeting as JSON-ready data."""
        return {"version": self.version, "protocol": self.protocol}

    @classmethod
    def from_json(cls, data: Any) -> Greeting:
        """Return the greeting that somebody sent.

        Raises
        ------
        VersionError
            It is none.
        """
        known = isinstance(data, Mapping) and isinstance(data.get("version"), str) and type(data.get("protocol")) is int
        if not known:
            raise VersionError("other side", "does not speak this protocol", "Is this address a Lightbox server?")
        return cls(data["version"][:40], data["protocol"])

    def meet(self, other: Greeting) -> None:
        """Go on when both speak the same protocol.

        Raises
        ------
        VersionError
            They do not; it says which side is behind.
        """
        if self.protocol == other.protocol:
            return
        older = "here" if self.protocol < other.protocol else "there"
        raise VersionError(
            "other side",
            f"speaks protocol {other.protocol} (napari-lightbox {other.version}), this side {self.protocol} ({self.version})",
            f"Update napari-lightbox {older}",
        )
