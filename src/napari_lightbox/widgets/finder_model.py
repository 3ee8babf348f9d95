"""The rows of the finder: headings and techniques, as one model without a widget per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, Qt

from napari_lightbox.contract import Technique
from napari_lightbox.widgets.families import family
from napari_lightbox.widgets.finder_fit import FITS, Fit, Offer, fit
from napari_lightbox.widgets.finder_memory import FinderMemory
from napari_lightbox.widgets.finder_search import Search

TECHNIQUE = Qt.ItemDataRole.UserRole
FIT = Qt.ItemDataRole.UserRole + 1
STARRED = Qt.ItemDataRole.UserRole + 2
_HEADING = Qt.ItemFlag.ItemNeverHasChildren
_ROW = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren


@dataclass(frozen=True)
class Heading:
    """A row that names the rows below it."""

    title: str


class FinderModel(QAbstractListModel):  # type: ignore[misc]
    """Techniques by section, or ranked while something is searched for."""

    def __init__(self, techniques: Sequence[Technique], memory: FinderMemory) -> None:
        super().__init__()
        self.techniques = sorted(techniques, key=lambda t: (family(t.family).title, t.title.lower()))
        self._memory = memory
        self._search = Search(self.techniques)
        self._places = {t.id: i for i, t in enumerate(self.techniques)}
        self._fits: list[Fit] = [FITS] * len(self.techniques)
        self._text = ""
        self._only_fitting = False
        self._rows: list[Heading | int] = []
        self._starred = frozenset(memory.favourites)
        self._arrange()

    def look_for(self, text: str) -> None:
        """Show what matches a text, the best first."""
        self._text = text
        self.arrange()

    def only_fitting(self, only: bool) -> None:
        """Leave out what does not fit the selected layer."""
        self._only_fitting = only
        self.arrange()

    def offered(self, offer: Offer | None, others: Sequence[Offer]) -> None:
        """Judge every technique by the selected layer."""
        self._fits = [fit(technique, offer, others) for technique in self.techniques]
        if self._only_fitting:
            self.arrange()
        elif self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def arrange(self) -> None:
        """Put the rows in order again, after a search or a change of favourites."""
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    @property
    def shown(self) -> list[Technique]:
        """The techniques shown, each once, in the order of the rows."""
        return [self.techniques[i] for i in dict.fromkeys(row for row in self._rows if isinstance(row, int))]

    @property
    def fitting(self) -> int:
        """How many techniques fit as they are."""
        return sum(f.state == "fits" for f in self._fits)

    def row_of(self, technique: Technique | None) -> int | None:
        """Return the last row of a technique, which is the one in its family."""
        rows = [r for r, row in enumerate(self._rows) if isinstance(row, int) and self.techniques[row] is technique]
        return rows[-1] if rows else None

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Keep headings from being chosen."""
        return _HEADING if isinstance(self._rows[index.row()], Heading) else _ROW

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a row shows."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if isinstance(row, Heading):
            return row.title if role == Qt.ItemDataRole.DisplayRole else None
        technique = self.techniques[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return technique.title
        if role == TECHNIQUE:
            return technique
        if role == FIT:
            return self._fits[row]
        if role == STARRED:
            return technique.id in self._starred
        if role == Qt.ItemDataRole.ToolTipRole:
            reason = self._fits[row].reason
            return f"<qt>{technique.doc}{f'<br><i>Not for this layer as it is: {escape(reason)}.</i>' if reason else ''}</qt>"
        return None

    def _arrange(self) -> None:
        self._starred = frozenset(self._memory.favourites)
        if self._text.strip():
            self._rows = [i for i in self._search.rank(self._text) if self._is_wanted(i)]
            return
        sections: dict[str, list[int]] = {}
        for title, ids in (("Favourites", self._memory.favourites), ("Recent", self._memory.recent)):
            sections[title] = [self._places[i] for i in ids if i in self._places]
        for i, technique in enumerate(self.techniques):
            sections.setdefault(family(technique.family).title, []).append(i)
        self._rows = []
        for title, places in sections.items():
            wanted = [i for i in places if self._is_wanted(i)]
            self._rows += [Heading(title), *wanted] if wanted else []

    def _is_wanted(self, place: int) -> bool:
        return not self._only_fitting or self._fits[place].state == "fits"
