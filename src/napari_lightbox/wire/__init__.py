"""What client and server both speak: chunks of arrays, cards of whole arrays, errors, the greeting."""

from napari_lightbox.wire.array_card import ArrayCard
from napari_lightbox.wire.bunch import bunch_parts, chunks_of_bunch
from napari_lightbox.wire.chunk import chunk_parts, decode_chunk, encode_chunk, payload_of
from napari_lightbox.wire.faults import decode_error, encode_error
from napari_lightbox.wire.greeting import Greeting

__all__ = [
    "ArrayCard",
    "Greeting",
    "bunch_parts",
    "chunk_parts",
    "chunks_of_bunch",
    "decode_chunk",
    "decode_error",
    "encode_chunk",
    "encode_error",
    "payload_of",
]
