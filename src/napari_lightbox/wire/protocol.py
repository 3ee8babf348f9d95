"""The constants of the protocol, in one place for both sides."""

from __future__ import annotations

from typing import Literal

PROTOCOL = 1
MAGIC = b"LBXC"
CODECS = ("raw", "zlib")
KINDS = "biufc"

MOST_AXES = 16
MOST_CHUNK_BYTES = 2**28
MOST_CHUNKS = 10**7
MOST_BUNCH_BYTES = 2**20
MOST_BUNCH_CHUNKS = 32
MOST_VOXELS = 2**48

Codec = Literal["raw", "zlib"]
