"""Favourite and recently opened techniques, kept across sessions in a small file."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from napari_lightbox.errors import ReadError
from napari_lightbox.io.atomic import replacing

MOST_RECENT = 8
_FILE = "napari-lightbox-techniques.json"


class FinderMemory:
    """Ids of favourites and of recent techniques; every change is written at once, whole or not at all.

    Parameters
    ----------
    path
        The file; napari's configuration folder when not given.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else _default_path()
        self._favourites: list[str] = []
        self._recent: list[str] = []
        self._load()

    @property
    def favourites(self) -> tuple[str, ...]:
        """Ids with a star, the oldest first."""
        return tuple(self._favourites)

    @property
    def recent(self) -> tuple[str, ...]:
        """Ids opened last, the latest first."""
        return tuple(self._recent)

    def toggle(self, technique_id: str) -> None:
        """Give a technique a star, or take it away.

        Raises
        ------
        WriteError
            The file cannot be written; the star holds for this session.
        """
        self._load()
        if technique_id in self._favourites:
            self._favourites.remove(technique_id)
        else:
            self._favourites.append(technique_id)
        self._save()

    def opened(self, technique_id: str) -> None:
        """Remember that a technique was opened.

        Raises
        ------
        WriteError
            The file cannot be written; it is remembered for this session.
        """
        self._load()
        self._recent = [technique_id, *(i for i in self._recent if i != technique_id)][:MOST_RECENT]
        self._save()

    def _load(self) -> None:
        """Take over what another window wrote; a damaged file is set aside, never overwritten."""
        try:
            self._favourites, self._recent = _read(self.path)
        except FileNotFoundError:
            return
        except ReadError:
            with suppress(OSError):
                self.path.replace(self.path.with_suffix(".damaged"))
        except OSError:
            return

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": 1, "favourites": self._favourites, "recent": self._recent}, indent=1)
        with replacing(self.path) as target:
            target.write_text(text, encoding="utf-8")


def _read(path: Path) -> tuple[list[str], list[str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        lists = content["favourites"], content["recent"]
    except (ValueError, KeyError, TypeError) as error:
        raise ReadError(str(path), "is damaged", "Remove it") from error
    if not all(isinstance(ids, list) and all(isinstance(i, str) for i in ids) for ids in lists):
        raise ReadError(str(path), "is damaged", "Remove it")
    return lists


def _default_path() -> Path:
    from napari.settings import get_settings

    from napari_lightbox.settings import settings

    config = get_settings().config_path
    return (Path(config).parent if config else settings().cache_folder) / _FILE
