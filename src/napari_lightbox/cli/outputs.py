"""Write what a technique gave: volumes in the format that the name says, tables and points as CSV, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from napari_lightbox.cli.running import with_progress
from napari_lightbox.errors import InputError
from napari_lightbox.io import result_files
from napari_lightbox.io.result_files import as_json, as_table, write_output


def write_outputs(path: Path, outputs: Mapping[str, Any]) -> list[Path]:
    """Write all outputs, the main one to `path` and the others beside it, showing progress; return the files."""
    return result_files.write_outputs(path, outputs, _write)


def print_outputs(outputs: Mapping[str, Any]) -> None:
    """Print values as ``name: value`` and tables as CSV.

    Raises
    ------
    InputError
        There is an image among them.
    """
    from napari_lightbox.axes import Volume

    for name, value in outputs.items():
        if isinstance(value, Volume):
            raise InputError("-o", "is needed to write an image", "Say where with -o OUT")
        if value is not None and (table := as_table(value)) is not None:
            print("\n".join(csv_lines(table)))
        elif value is not None:
            print(f"{name}: {json.dumps(as_json(value))}")


def _write(path: Path, value: Any) -> None:
    with_progress(f"writing {path.name}", partial(write_output, path, value))


def csv_lines(table: Any) -> Iterator[str]:
    """Yield a table as lines of CSV."""
    yield ",".join(table)
    for row in table.rows():
        yield ",".join(str(cell) for cell in row.values())


def in_words(value: Any) -> str:
    """Return what an output is, for the line that says what was written."""
    from napari_lightbox.axes import Volume

    if isinstance(value, Volume):
        return f"{value.role}, {value.axes} {'x'.join(map(str, value.shape))}, {value.dtype}"
    table = as_table(value)
    return f"table, {len(table)} rows" if table is not None else type(value).__name__
