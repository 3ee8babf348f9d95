"""Headers whose samples lie in a file beside them (.mhd with .raw, .nhdr with .raw)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from napari_lightbox.io.atomic import replacing


@contextmanager
def replacing_pair(path: Path, suffix: str, header: Callable[[str], bytes], old: Path | None) -> Iterator[Path]:
    """Yield a temporary file for the samples; afterwards write the header that names them.

    The samples get a name that is not in use, so that the old header and the old samples stay a valid pair until the
    new header replaces the old one in a single step; then the `old` samples are removed.
    """
    samples = _free_name(path, suffix)
    with replacing(path) as partial_header, replacing(samples, named=path) as partial_samples:
        yield partial_samples
        partial_header.write_bytes(header(samples.name))
    if old is not None and old != samples and old.parent == path.parent and old.is_file():
        old.unlink()


def _free_name(path: Path, suffix: str) -> Path:
    names = (path.with_name(f"{path.stem}{'' if n == 0 else f'-{n}'}{suffix}") for n in count())
    return next(name for name in names if not os.path.lexists(name))
