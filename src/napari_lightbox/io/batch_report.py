"""What a batch has done so far, kept in a file so that it can be resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from napari_lightbox.errors import LightboxError

_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """How one file went.

    `fingerprint` tells recipe and input apart from changed ones; `message` says what was wrong.
    """

    status: Literal["done", "failed"]
    seconds: float
    files: tuple[str, ...] = ()
    message: str = ""
    fingerprint: str = ""

    @classmethod
    def done(cls, seconds: float, files: Sequence[Path]) -> Entry:
        """Record a success."""
        return cls("done", round(seconds, 3), tuple(str(f) for f in files))

    @classmethod
    def failed(cls, seconds: float, error: Exception) -> Entry:
        """Record a failure."""
        message = str(error) if isinstance(error, LightboxError) else f"{type(error).__name__}: {error}"
        return cls("failed", round(seconds, 3), message=message)


@dataclass
class BatchReport:
    """Entries by input, written to `path` after each of them."""

    path: Path
    recipe: str
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, recipe: str) -> BatchReport:
        """Return the report in `path`; an empty one when there is none that can be read."""
        report = cls(path, recipe)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["lightbox_batch"] == _FORMAT:
                report.entries = {e.pop("input"): Entry(**{**e, "files": tuple(e["files"])}) for e in data["entries"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            report.entries = {}
        return report

    def is_finished(self, source: str) -> bool:
        """Tell whether this very file was run with this very recipe and its results are still there."""
        entry = self.entries.get(source)
        return (
            entry is not None
            and entry.status == "done"
            and entry.fingerprint == self._fingerprint(source)
            and all(Path(f).exists() for f in entry.files)
        )

    def add(self, source: str, entry: Entry) -> None:
        """Record how a file went and write the report."""
        from napari_lightbox.io.atomic import replacing

        self.entries[source] = replace(entry, fingerprint=self._fingerprint(source))
        entries = [{"input": name, **asdict(e)} for name, e in self.entries.items()]
        with replacing(self.path) as partial:
            partial.write_text(json.dumps({"lightbox_batch": _FORMAT, "entries": entries}, indent=2), encoding="utf-8")

    def _fingerprint(self, source: str) -> str:
        """Return a hash of the recipe and of the input's files: names, sizes and times of change."""
        path = Path(source)
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] if path.exists() else []
        stats = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        return hashlib.sha256(repr((self.recipe, stats)).encode()).hexdigest()[:16]
