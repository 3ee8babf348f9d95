"""What to train on: pairs of layers, or a folder of images with labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_lightbox.errors import AxesError, InputError
from napari_lightbox.models.train.folder import find_pairs
from napari_lightbox.models.train.samples import Pair
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.layers import data_shape, name_axes, suggest_axes, volume_of
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from napari.components import ViewerModel


class PairRow(QWidget):  # type: ignore[misc]
    """One image with its labels."""

    changed = Signal()
    removed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.image = LayerCombo(lambda layer: isinstance(layer, Image))
        self.labels = LayerCombo(lambda layer: isinstance(layer, Labels))
        self.image.setToolTip("Image to learn from")
        self.labels.setToolTip("Labels painted on it")
        self.remove = QToolButton()
        self.remove.setText("−")
        self.remove.setToolTip("Take this pair out")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for part, stretch in ((self.image, 1), (self.labels, 1), (self.remove, 0)):
            row.addWidget(part, stretch)
        self.image.changed.connect(self.changed.emit)
        self.labels.changed.connect(self.changed.emit)
        self.remove.clicked.connect(self.removed.emit)


class TrainSource(QWidget):  # type: ignore[misc]
    """Chooses the training data; emits `changed`."""

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.rows: list[PairRow] = []
        self.kind = QComboBox()
        self.kind.addItems(["Layers", "Folder"])
        self.add = QPushButton("Add a pair")
        self.axes = QLineEdit()
        self.axes.setToolTip(
            "<qt>One letter per dimension of the images: t time, z y x space, c channel. Written to the layers.</qt>"
        )
        self.axes_label = QLabel("Axes")
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("images/ and labels/, or cell.tif beside cell-labels.tif")
        self.found = PlainLabel()
        self._lay_out()
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.add.clicked.connect(self.add_row)
        self.axes.editingFinished.connect(self._take_axes)
        self.folder.editingFinished.connect(self._look_into_folder)
        self.add_row()

    @property
    def first(self) -> Layer | None:
        """The first image layer chosen, if layers are the source."""
        return self.rows[0].image.chosen() if self.kind.currentIndex() == 0 and self.rows else None

    def pairs(self) -> Callable[[], Sequence[Pair]]:
        """Return what reads the chosen data; layers are read in place, files when it is called.

        Raises
        ------
        InputError
            Nothing is chosen.
        """
        if self.kind.currentIndex() == 1:
            paths = find_pairs(Path(self.folder.text().strip()).expanduser())
            return lambda: [_read(image, labels) for image, labels in paths]
        chosen = [(row.image.chosen(), row.labels.chosen()) for row in self.rows]
        if not chosen or any(image is None or labels is None for image, labels in chosen):
            raise InputError(
                "training data", "a pair lacks its image or its labels", "Open an image and paint a Labels layer on it"
            )
        volumes = [_volumes(image, labels) for image, labels in chosen if image is not None and labels is not None]
        return lambda: volumes

    def add_row(self) -> None:
        """Offer one more pair."""
        row = PairRow()
        self.rows.append(row)
        self._column.addWidget(row)
        row.changed.connect(self._on_change)
        row.removed.connect(lambda: self._drop(row))
        self.refresh()

    def refresh(self) -> None:
        """Follow the layer list."""
        preferred = [*self._viewer.layers.selection, *reversed(list(self._viewer.layers))]
        for row in self.rows:
            row.remove.setVisible(len(self.rows) > 1)
            row.image.refresh(self._viewer.layers, preferred)
            chosen = row.image.chosen()
            shape = None if chosen is None else data_shape(chosen)[: chosen.ndim]
            row.labels.refresh(self._viewer.layers, sorted(preferred, key=partial(_differs, shape)))
        self._show_axes()

    def _drop(self, row: PairRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.deleteLater()
        self.refresh()
        self.changed.emit()

    def _on_kind(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.changed.emit()

    def _on_change(self) -> None:
        self._show_axes()
        self.changed.emit()

    def _show_axes(self) -> None:
        layer = self.first
        self.axes.setEnabled(layer is not None)
        if layer is None:
            self.axes.clear()
            return
        try:
            letters, guessed = suggest_axes(layer)
        except AxesError:
            letters, guessed = "", False
        self.axes.setText(letters)
        self.axes.setPlaceholderText(f"letters for {' × '.join(map(str, data_shape(layer)))}")
        self.axes_label.setText("Axes (guessed)" if guessed else "Axes")

    def _take_axes(self) -> None:
        letters = self.axes.text().strip()
        for row in self.rows:
            layer = row.image.chosen()
            if layer is None or letters == suggest_axes(layer)[0]:
                continue
            try:
                name_axes(layer, letters)
            except AxesError as error:
                show_failure(error)
        self._on_change()

    def _look_into_folder(self) -> None:
        try:
            count = len(find_pairs(Path(self.folder.text().strip()).expanduser()))
        except InputError as error:
            self.found.setText(str(error))
        else:
            self.found.setText(f"{count} image{'' if count == 1 else 's'} with labels")
        self.changed.emit()

    def _browse(self) -> None:
        path: Any = QFileDialog.getExistingDirectory(self, "Folder with images and labels")
        if path:
            self.folder.setText(path)
            self._look_into_folder()

    def _lay_out(self) -> None:
        layers, folder = QWidget(), QWidget()
        upper = QVBoxLayout(layers)
        upper.setContentsMargins(0, 0, 0, 0)
        self._column = QVBoxLayout()
        upper.addLayout(self._column)
        below = QHBoxLayout()
        for part, stretch in ((self.axes_label, 0), (self.axes, 1), (self.add, 0)):
            below.addWidget(part, stretch)
        upper.addLayout(below)
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip("Choose a folder")
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.addWidget(self.folder, 1)
        line.addWidget(browse)
        lower = QVBoxLayout(folder)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.addLayout(line)
        lower.addWidget(self.found)
        lower.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(layers)
        self._stack.addWidget(folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(QLabel("Learn from"))
        head.addWidget(self.kind, 1)
        column.addLayout(head)
        column.addWidget(self._stack)


def _differs(shape: tuple[int, ...] | None, layer: Layer) -> bool:
    return not isinstance(layer, Labels) or data_shape(layer) != shape


def _volumes(image: Layer, labels: Layer) -> Pair:
    axes = suggest_axes(image)[0]
    flat = axes.replace("c", "")
    return volume_of(image, axes), volume_of(labels, flat if len(flat) == labels.ndim else None)


def _read(image: Path, labels: Path) -> Pair:
    from napari_lightbox.axes import Volume
    from napari_lightbox.io.formats import read

    found = [next((v for v in read(path) if isinstance(v, Volume)), None) for path in (image, labels)]
    if found[0] is None or found[1] is None:
        raise InputError(str(image if found[0] is None else labels), "holds no image", "Take it out of the folder")
    return found[0], found[1]
