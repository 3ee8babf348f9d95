"""Small pictures of what techniques do; a drawn placeholder for those that come without one."""

from __future__ import annotations

import zlib
from pathlib import Path

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPixmap

from napari_lightbox.contract import Technique

FOLDER = Path(__file__).with_name("thumbnails")
SIZE = QSize(72, 48)


class Pictures:
    """Thumbnails by technique, read when they are first shown."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._kept: dict[str, QPixmap] = {}

    def picture(self, technique: Technique, ratio: float = 1.0) -> QPixmap:
        """Return the thumbnail for a screen with `ratio` pixels per point."""
        key = f"{technique.id}@{ratio}"
        if key not in self._kept:
            self._kept[key] = self._read(technique, ratio)
        return self._kept[key]

    def _read(self, technique: Technique, ratio: float) -> QPixmap:
        stored = QPixmap(str(self._folder / f"{technique.id}.webp"))
        if stored.isNull():
            return placeholder(technique, ratio)
        shown = stored.scaled(SIZE * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        shown.setDevicePixelRatio(ratio)
        return shown


def placeholder(technique: Technique, ratio: float = 1.0) -> QPixmap:
    """Return a tile in the colour of the family with the initials of the technique."""
    tile = QPixmap(SIZE * ratio)
    tile.setDevicePixelRatio(ratio)
    hue = zlib.crc32(technique.family.encode()) % 360
    tile.fill(QColor.fromHsv(hue, 90, 120))
    painter = QPainter(tile)
    font = QFont()
    font.setPixelSize(20)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor.fromHsv(hue, 40, 235))
    initials = "".join(word[0] for word in technique.title.split()[:2] if word[0].isalnum()).upper()
    painter.drawText(QRectF(0, 0, SIZE.width(), SIZE.height()), Qt.AlignmentFlag.AlignCenter, initials)
    painter.end()
    return tile
