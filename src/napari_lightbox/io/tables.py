"""Tables as CSV or TSV: one column per name, units in square brackets after the name."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import Table
from napari_lightbox.errors import ReadError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.streaming import Progress

_NAME = re.compile(r"(?P<name>.*?)(?: \[(?P<unit>[^\[\]]+)\])?")
_INTEGER = re.compile(r"[+-]?\d+")
_TRUTH = {"True": True, "False": False, "true": True, "false": False}
_EMPTY = ("", "nan", "NaN", "NA")
_ROWS_AT_ONCE = 10_000


def read(path: Path, *, delimiter: str | None = None) -> list[Table]:
    """Read a table; columns become integers, truth values, numbers or text, whatever keeps every cell."""
    with reading(path), path.open(newline="", encoding="utf-8-sig") as file:
        head = file.readline()
        if not head.strip():
            raise ReadError(str(path), "has no header line", "Put the column names into the first line")
        file.seek(0)
        rows = list(csv.reader(file, delimiter=delimiter or _delimiter(path, head)))
    names, cells = rows[0], [r for r in rows[1:] if r]
    if len(set(names)) != len(names):
        raise ReadError(str(path), "names a column twice", "Give each column its own name")
    for number, row in enumerate(cells, 2):
        if len(row) != len(names):
            raise damaged(path, f"line {number} has {len(row)} cells, the header names {len(names)} columns")
    parsed = [_NAME.fullmatch(n) for n in names]
    titles = [m["name"] if m else n for m, n in zip(parsed, names, strict=True)]
    units = {t: m["unit"] for t, m in zip(titles, parsed, strict=True) if m and m["unit"]}
    if len(set(titles)) != len(titles):
        titles, units = names, {}
    return [Table({t: _column([row[i] for row in cells]) for i, t in enumerate(titles)}, units)]


def write(path: Path, volumes: Sequence[Table], *, progress: Progress | None = None) -> None:
    """Write one table; numbers keep every digit."""
    (table,) = volumes
    titles = [f"{n} [{table.units[n]}]" if n in table.units else n for n in table]
    columns = [_cells(table[n]) for n in table]
    with replacing(path) as target, target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", lineterminator="\n")
        writer.writerow(titles)
        for start in range(0, len(table), _ROWS_AT_ONCE):
            writer.writerows(zip(*(c[start : start + _ROWS_AT_ONCE] for c in columns), strict=True))
            if progress is not None:
                progress(min(1.0, (start + _ROWS_AT_ONCE) / len(table)))


def _delimiter(path: Path, head: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return max((",", ";", "\t"), key=head.count)


def _column(cells: list[str]) -> NDArray[Any]:
    if cells and all(c in _TRUTH for c in cells):
        return np.array([_TRUTH[c] for c in cells])
    if cells and all(_INTEGER.fullmatch(c) for c in cells) and not any(_leading_zero(c) for c in cells):
        numbers = [int(c) for c in cells]
        if min(numbers) >= -(2**63) and max(numbers) < 2**64:
            return np.array(numbers, np.int64 if max(numbers) < 2**63 else np.uint64)
    if not any(_leading_zero(c) for c in cells):
        try:
            return np.array([np.nan if c in _EMPTY else float(c) for c in cells], float)
        except ValueError:
            pass
    return np.array(cells, str)


def _leading_zero(cell: str) -> bool:
    """Tell whether a cell is a code such as 007 rather than a number."""
    return len(cell) > 1 and cell[0] == "0" and cell[1].isdigit()


def _cells(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind == "f":
        return [
            "" if np.isnan(v) else repr(v) if column.itemsize == 8 else str(v)
            for v in (column.tolist() if column.itemsize == 8 else column)
        ]
    return list(column.tolist())
