"""Run a recipe on files, with a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_lightbox.contract import Recipe
from napari_lightbox.contract.recipe_edits import pruned
from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.io.formats import FORMATS
from napari_lightbox.io.volumes import images_in
from napari_lightbox.widgets.form import form_layout
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.recipe_files import FilesJob
from napari_lightbox.widgets.run_bar import RunBar

_LIKE_THE_FILE = "like the file"
_COLUMNS = ("File", "Result")


class FilesPanel(QWidget):  # type: ignore[misc]
    """Files in, results and a report out; emits `refused(error)` when nothing can start."""

    refused = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._recipe: Recipe | None = None
        self._job: FilesJob | None = None
        self._files: list[str] = []
        self.chosen = PlainLabel("No files chosen")
        self.folder, self.files = QPushButton("Folder…"), QPushButton("Files…")
        self.output = QLineEdit()
        self.output.setPlaceholderText("folder for the results")
        self.ending = QComboBox()
        self.ending.addItem(_LIKE_THE_FILE, None)
        for ending in sorted({s for f in FORMATS for s in f.writes if s and f.name not in ("tables", "video")}):
            self.ending.addItem(ending, ending)
        self.further: list[QLineEdit] = []
        self.bar = RunBar()
        self.bar.reset.hide()
        self.bar.help.hide()
        self.bar.run.setToolTip("<qt>One result per file; a file that fails does not stop the others.</qt>")
        self.table = _table()
        self._lay_out()
        self.folder.clicked.connect(self._ask_folder)
        self.files.clicked.connect(self._ask_files)
        self.bar.asked.connect(self.start)
        self.bar.failed.connect(self._on_failure)
        self.bar.cancel.clicked.connect(self._show_entries)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Take another recipe for the next run."""
        self._recipe = None if recipe is None else pruned(recipe)
        count = max((self._recipe.input_count if self._recipe is not None else 1) - 1, 0)
        while len(self.further) > count:
            self._rows.removeRow(self.further.pop())
        while len(self.further) < count:
            line = QLineEdit()
            line.setToolTip(
                "<qt>{folder}, {stem} and {name} stand for the parts of each file, such as {folder}/{stem}-seeds.nii.gz</qt>"
            )
            line.setPlaceholderText("{folder}/{stem}-seeds.nii.gz")
            self._rows.addRow(PlainLabel(wraps=False), line)
            self.further.append(line)
        for number, line in enumerate(self.further, 1):
            name = self._recipe.described(number).name if self._recipe is not None else ""
            self._rows.labelForField(line).setText(name or f"Input {number + 1}")

    def take_files(self, files: list[str]) -> None:
        """Choose the files to run on; results go to a folder beside them."""
        self._files = files
        self.chosen.setText(
            f"{len(files)} file{'' if len(files) == 1 else 's'}: {', '.join(Path(f).name for f in files[:3])}"
            f"{', …' if len(files) > 3 else ''}"
            if files
            else "No files chosen"
        )
        if files and not self.output.text():
            self.output.setText(str(Path(files[0]).parent / "results"))
        self.table.setRowCount(0)

    def start(self) -> None:
        """Run on all files."""
        try:
            if self._recipe is None or not self._files:
                raise InputError("files", "none are chosen", "Choose a folder or files first")
            if not self.output.text().strip():
                raise InputError("folder", "for the results is missing", "Write or choose one")
            further = [line.text().strip() for line in self.further]
            if not all(further):
                raise InputError("further inputs", "are not named", "Write a pattern such as {folder}/{stem}-seeds.nii.gz")
            folder = Path(self.output.text().strip()).expanduser()
            self._job = FilesJob(self._recipe, self._files, folder, self.ending.currentData(), further)
        except LightboxError as error:
            self._on_failure(error)
            return
        self._fill(list(self._job.targets))
        self._job.start()
        watch = self.bar.follow(self._job, self._finish)
        watch.progressed.connect(lambda _fraction, _message: self._show_entries())
        watch.cancelled.connect(self._on_cancel)

    def shut_down(self) -> None:
        """Stop."""
        self.bar.drop()

    def _finish(self, outcome: Any) -> None:
        self._show_entries()
        assert self._job is not None
        entries = self._job.entries.values()
        done = sum(entry.status == "done" for entry in entries)
        self.bar.message.setText(f"{done} of {len(entries)} done; see {outcome.outputs['report']}")

    def _on_cancel(self) -> None:
        self._show_entries()
        assert self._job is not None
        self.bar.message.setText(f"Cancelled after {len(self._job.entries)} of {len(self._job.targets)} files.")

    def _on_failure(self, error: BaseException) -> None:
        self.bar.message.setText(str(error))
        self.refused.emit(error)

    def _fill(self, sources: list[str]) -> None:
        self.table.setRowCount(len(sources))
        for row, source in enumerate(sources):
            self.table.setItem(row, 0, _item(Path(source).name, source))
            self.table.setItem(row, 1, _item("waiting"))

    def _show_entries(self) -> None:
        if self._job is None:
            return
        for row, source in enumerate(self._job.targets):
            entry = self._job.entries.get(source)
            if entry is not None:
                text = entry.message or f"done in {entry.seconds:.1f} s"
                self.table.setItem(
                    row, 1, _item(text if entry.status == "done" else f"✕ {text}", "\n".join((text, *entry.files)))
                )

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Run on the images of a folder")
        if folder:
            self.take_files([str(path) for path in images_in(Path(folder))])

    def _ask_files(self) -> None:
        files = QFileDialog.getOpenFileNames(self, "Run on files")[0]
        if files:
            self.take_files([str(f) for f in files])

    def _lay_out(self) -> None:
        choose = QHBoxLayout()
        choose.addWidget(self.chosen, 1)
        choose.addWidget(self.folder)
        choose.addWidget(self.files)
        self._rows = form_layout()
        self._rows.addRow(QLabel("Results in"), self.output)
        self._rows.addRow(QLabel("Written as"), self.ending)
        column = QVBoxLayout(self)
        column.addWidget(QLabel("Run the recipe on files:"))
        column.addLayout(choose)
        column.addLayout(self._rows)
        column.addWidget(self.bar)
        column.addWidget(self.table, 1)


def _table() -> QTableWidget:
    table = QTableWidget(0, len(_COLUMNS))
    table.setHorizontalHeaderLabels(list(_COLUMNS))
    table.verticalHeader().hide()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    table.setTextElideMode(Qt.TextElideMode.ElideRight)
    table.setMinimumHeight(110)
    return table


def _item(text: str, tip: str = "") -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(tip or text)
    return item
