"""Ask where to keep a model that a run has trained."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_lightbox.contract.values import TrainedModel
from napari_lightbox.errors import LightboxError
from napari_lightbox.kernels.model_file import SUFFIX, write_model
from napari_lightbox.widgets.messages import show_failure, show_hint


def offer_model(model: TrainedModel, parent: QWidget) -> QFileDialog:
    """Open a dialog beside the window that saves the model when a name is chosen; nothing waits for it."""
    dialog = QFileDialog(parent, "Save the model", "", f"Model (*{SUFFIX})")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(SUFFIX.removeprefix("."))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setModal(False)
    dialog.fileSelected.connect(lambda path: _save(model, path))
    dialog.show()
    return dialog


def _save(model: TrainedModel, path: str) -> None:
    try:
        write_model(Path(path), model)
    except LightboxError as error:
        show_failure(error)
    else:
        show_hint(f"The model is in {path}")
