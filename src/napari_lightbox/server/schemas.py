"""What clients may send, as types: everything else is refused before anybody works with it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from napari_lightbox.errors import WireError
from napari_lightbox.server.values import ID, LONGEST_TEXT, Value, VolumeValue, Whole
from napari_lightbox.wire.protocol import MOST_AXES

TECHNIQUE = r"^[0-9A-Za-z_.:-]{1,100}$"
_MOST_PARAMETERS, _MOST_SOURCES = 256, 10_000

Id = Annotated[str, Field(pattern=ID)]
Pair = Annotated[list[Whole], Field(min_length=2, max_length=2)]
OpenPair = Annotated[list[Whole | None], Field(min_length=2, max_length=2)]
Region = Annotated[list[Pair], Field(max_length=MOST_AXES)]


class Message(BaseModel):
    """A message: exact types, nothing unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RequestOrder(Message):
    """One run of one technique."""

    technique: Annotated[str, Field(pattern=TECHNIQUE)]
    inputs: Annotated[list[Value], Field(max_length=64)]
    parameters: Annotated[dict[Annotated[str, Field(max_length=100)], Any], Field(max_length=_MOST_PARAMETERS)]
    mask: VolumeValue | None = None
    over: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")] | None = None
    region: Annotated[list[OpenPair], Field(max_length=MOST_AXES)] | None = None
    preview: bool = False
    lazy: bool = True


class JobOrder(Message):
    """A job to do."""

    request: RequestOrder
    first: Region | None = None
    priority: Annotated[int, Field(ge=0, le=9)] = 5
    key: Id | None = None

    def body(self) -> dict[str, Any]:
        """Return the order as the queue takes it: what was left out of the request filled in, and nothing added to its inputs."""
        told = self.model_dump(exclude_unset=True)
        fields = RequestOrder.model_fields.items()
        left_out = {name: field.default for name, field in fields if not field.is_required()}
        return told | {"request": left_out | told["request"]}


class RegionOrder(Message):
    """A part of the main output that is wanted next."""

    region: Region


class CardOrder(Message):
    """Type, shape and chunks of an array."""

    dtype: Annotated[str, Field(max_length=8)]
    shape: Annotated[list[Whole], Field(max_length=MOST_AXES)]
    chunks: Annotated[list[Whole], Field(max_length=MOST_AXES)]


class SourceOrder(Message):
    """An array that will be sent."""

    card: CardOrder
    hashes: list[str] | None = None
    session: Id | None = None


class KnownOrder(Message):
    """Chunks that the server may have already: number and hash of each."""

    chunks: list[Annotated[list[Whole | str], Field(min_length=2, max_length=2)]]

    def pairs(self) -> list[tuple[int, str]]:
        """Return number and hash of each chunk.

        Raises
        ------
        WireError
            They stand the other way round.
        """
        pairs = [(n, name) for n, name in self.chunks if isinstance(n, int) and isinstance(name, str)]
        if len(pairs) != len(self.chunks):
            raise WireError("chunks", "are not pairs of a number and a hash", "Use a client of this version")
        return pairs


class ReferenceOrder(Message):
    """An array that the server reads itself."""

    location: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class SessionOrder(Message):
    """Sources to keep at hand."""

    sources: Annotated[list[Id], Field(max_length=_MOST_SOURCES)]


class Beat(Message):
    """A sign of life."""

    active: bool
