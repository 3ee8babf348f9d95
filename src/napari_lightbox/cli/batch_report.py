"""What became of the files of a batch, for people (report.csv) and programs (report.json)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.batch_report import Entry

JSON, CSV = "report.json", "report.csv"
NOT_RUN = "not run"
_FORMAT = 1
_COLUMNS = ("file", "status", "seconds", "outputs", "error")


def write_report(folder: Path, sources: Iterable[str], entries: Mapping[str, Entry]) -> Path:
    """Write both reports and return the one for people; files without an entry were not run.

    Raises
    ------
    WriteError
        The system refuses.
    """
    rows = [(source, entries.get(source)) for source in sources]
    with replacing(folder / JSON) as partial:
        partial.write_text(
            json.dumps({"lightbox_batch": _FORMAT, "entries": [_fields(*row) for row in rows]}, indent=2) + "\n", encoding="utf-8"
        )
    with replacing(folder / CSV) as partial, partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        table.writerows(_cells(*row) for row in rows)
    return folder / CSV


def _fields(source: str, entry: Entry | None) -> dict[str, object]:
    if entry is None:
        return {"input": source, "status": NOT_RUN, "seconds": 0.0, "files": [], "message": "", "fingerprint": ""}
    return {"input": source, **asdict(entry)}


def _cells(source: str, entry: Entry | None) -> tuple[object, ...]:
    if entry is None:
        return source, NOT_RUN, "", "", ""
    return source, entry.status, entry.seconds, "; ".join(entry.files), entry.message
