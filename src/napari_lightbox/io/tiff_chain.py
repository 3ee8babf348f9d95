"""Is a TIFF file whole? Its pages form a chain, and everything that a page points to must lie inside the file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from napari_lightbox.io.failures import damaged

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_chain(path: Path) -> None:
    """Follow the chain of pages to its end.

    Readers are lenient: they show the pages that they find in a file that was cut off.

    Raises
    ------
    ReadError
        The chain leads out of the file, or the first page points behind its end.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack_from(order + "H", head, 2)[0] == 43
        offset = struct.unpack_from(order + ("Q" if big else "L"), head, 8 if big else 4)[0]
        seen: set[int] = set()
        while offset and offset not in seen:
            seen.add(offset)
            try:
                offset = _next_page(file, offset, order, big, size, first=len(seen) == 1)
            except (struct.error, EOFError) as error:
                raise damaged(path, f"is cut off: page {len(seen)} lies behind its end at {size} bytes") from error


def _next_page(file: BinaryIO, offset: int, order: str, big: bool, size: int, *, first: bool) -> int:
    """Return where the next page begins, 0 after the last one."""
    count_form, entry, pointer = ("Q", 20, "Q") if big else ("H", 12, "L")
    file.seek(offset)
    (count,) = struct.unpack(order + count_form, file.read(struct.calcsize(order + count_form)))
    if first:
        entries = file.read(count * entry)
        for i in range(count):
            _, kind, number = struct.unpack_from(order + ("HHQ" if big else "HHL"), entries, i * entry)
            length = _SIZES.get(kind, 0) * number
            if length > struct.calcsize(order + pointer):
                (place,) = struct.unpack_from(order + pointer, entries, i * entry + (12 if big else 8))
                if place + length > size:
                    raise EOFError
    else:
        file.seek(count * entry, 1)
    return int(struct.unpack(order + pointer, file.read(struct.calcsize(order + pointer)))[0])
