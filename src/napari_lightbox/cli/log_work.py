"""Replay an interaction log on files, for `lightbox batch` and `lightbox replay`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.axes import Volume
    from napari_lightbox.cli.batch_work import Run
    from napari_lightbox.engine.control import Control
    from napari_lightbox.interaction.log import InteractionLog


@dataclass(frozen=True)
class LogWork:
    """A log and how to replay it.

    Parameters
    ----------
    path, log
        The file and what is in it.
    text
        What tells this work from another one.
    force
        Whether images with other pixels are taken.
    """

    path: Path
    log: InteractionLog
    text: str
    force: bool

    @classmethod
    def read(cls, path: Path, force: bool) -> LogWork:
        """Read a log.

        Raises
        ------
        ReadError
            Missing, damaged, or of a newer format.
        """
        from napari_lightbox.interaction.log import InteractionLog

        path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
        log = InteractionLog.load(path)
        return cls(path, log, f"{hashlib.sha256(path.read_bytes()).hexdigest()} force={force}", force)

    def __reduce__(self) -> Any:
        """Travel to another process as a path."""
        return _read_again, (self.path, self.text, self.force)

    def own_files(self) -> list[str]:
        """Return the file the log was made on; the log itself when it needs no image.

        Raises
        ------
        InputError
            The file is not known or not there.
        """
        from napari_lightbox.errors import InputError
        from napari_lightbox.interaction.replay import needed_sources

        needed = needed_sources(self.log)
        if not needed:
            return [str(self.path)]
        found = self._recorded(needed[0])
        if found is None:
            reason = f"was made on {self.log.sources[needed[0]].path or 'an image that came from no file'}, which is not there"
            raise InputError(str(self.path), reason, "Name the image on the command line")
        return [found]

    def ending(self, files: Sequence[str]) -> str | None:
        """Return an ending that can hold labels when that of the files cannot."""
        return ".ome.tif" if any(f.lower().endswith(".png") for f in files) else None

    def run(self, files: Sequence[str], control: Control, run: Run | None = None) -> Mapping[str, Volume]:
        """Replay the log on the images in some files and return the labels, those accepted into last first.

        Raises
        ------
        LightboxError
            A file cannot be read, is not the image the log was made on, or a run fails.
        """
        from napari_lightbox.cli.inputs import read_volume
        from napari_lightbox.interaction.replay import needed_sources, replay_log

        needed = needed_sources(self.log) or list(self.log.sources)[:1]
        given = [f for f in files if Path(os.path.abspath(f)) != self.path]  # noqa: PTH100 - as in read
        named = dict(zip(needed, [*given, *(self._recorded(name) for name in needed[len(given) :])], strict=False))
        sources = {
            name: read_volume(file, labels=self.log.sources[name].role == "labels")
            for name, file in named.items()
            if file is not None
        }
        return results_first(self.log, replay_log(self.log, sources, control.report, force=self.force))

    def _recorded(self, name: str) -> str | None:
        """Return the file a source came from, where it was or beside the log."""
        path = self.log.sources[name].path
        places = [Path(path), self.path.parent / Path(path).name] if path else []
        return next((str(p) for p in places if p.exists()), None)


def results_first(log: InteractionLog, targets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the targets that hold results, the latest first; all when none was accepted into."""
    from napari_lightbox.interaction.entries import Accepted

    accepted = [entry.target for entry in log.entries if isinstance(entry, Accepted)]
    names = list(dict.fromkeys(reversed(accepted))) or list(targets)
    return {name: targets[name] for name in names}


@lru_cache(maxsize=1)
def _read_again(path: Path, text: str, force: bool) -> LogWork:
    """Return a log as it was when it was read first; a worker reads it once for all files."""
    from napari_lightbox.errors import ReadError

    work = LogWork.read(path, force)
    if work.text != text:
        raise ReadError(str(path), "was changed while it is replayed", "Start again with --resume")
    return work
