"""Options every technique shares: restrict to a mask, plane by plane, where the result goes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer, Shapes
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QWidget

from napari_lightbox.axes.order import spatial_axes
from napari_lightbox.contract import Collection, Technique
from napari_lightbox.contract.roles import Role
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.widgets.form import form_layout
from napari_lightbox.widgets.label_ids import read_ids
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.layers import is_preview
from napari_lightbox.widgets.values import input_value

if TYPE_CHECKING:
    from napari.components import ViewerModel

_MASK = InputSpec("mask", Role("mask"), optional=True)


class Options(QWidget):  # type: ignore[misc]
    """Mask, plane by plane and output; rows that mean nothing for the technique do not exist."""

    changed = Signal()

    def __init__(self, technique: Technique, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        rows = form_layout()
        self.setLayout(rows)
        self.mask: LayerCombo | None = None
        self.plane: QCheckBox | None = None
        self.target: LayerCombo | None = None
        self.ids = QLineEdit()
        if _can_restrict(technique):
            self.mask = LayerCombo(partial(_is_a, (Labels, Shapes)), none="whole image")
            self.mask.changed.connect(self.changed.emit)
            tip = "Only where this Labels or Shapes layer has an object; the rest stays as it is."
            rows.addRow(_label("Restrict to", tip), self.mask)
        if {2, 3} <= set(technique.spatial) and technique.over is None:
            self.plane = QCheckBox("plane by plane")
            self.plane.setToolTip("<qt>Treat every y, x plane on its own instead of the whole z, y, x volume.</qt>")
            self.plane.toggled.connect(lambda _: self.changed.emit())
            rows.addRow(_label("Work", "Over the whole volume, or on each plane alone."), self.plane)
        if technique.outputs and technique.outputs[0].role.name == "labels":
            self._add_target(rows)
        self.refresh()

    @property
    def labels(self) -> list[QLabel]:
        """The labels in front of the options."""
        return list(self.findChildren(QLabel))

    def refresh(self) -> None:
        """Follow the layer list."""
        for combo in (self.mask, self.target):
            if combo is not None:
                combo.refresh(self._viewer.layers, [])

    def set_axes(self, axes: str) -> None:
        """Offer plane by plane only for volumes."""
        if self.plane is not None:
            self.plane.setEnabled(len(spatial_axes(axes)) == 3)

    def over(self) -> str | None:
        """Return the axes the technique shall work over, None for all spatial ones."""
        return "yx" if self.plane is not None and self.plane.isEnabled() and self.plane.isChecked() else None

    def restriction(self, first: Layer | None, axes: str) -> Any:
        """Return the mask as a Volume, None without one."""
        layer = self.mask.chosen() if self.mask is not None else None
        return None if layer is None or first is None else input_value(_MASK, layer, first, axes)

    def output(self) -> tuple[Labels | None, list[int] | None]:
        """Return the Labels layer to write into (None for a new layer) and the ids.

        Raises
        ------
        ParameterError
            The ids cannot be read.
        """
        if self.target is None or self.target.chosen() is None:
            return None, None
        return self.target.chosen(), read_ids(self.ids.text())

    def _add_target(self, rows: QFormLayout) -> None:
        target = self.target = LayerCombo(partial(_is_a, (Labels,)), none="new layer")
        self.ids.setPlaceholderText("all ids of the result")
        ids_label = _label("Ids", "Which ids to write, such as 1, 3-5. Pixels with any other id are left alone.")
        rows.addRow(_label("Write into", "A new layer, or an existing Labels layer, where Ctrl-Z undoes it."), target)
        rows.addRow(ids_label, self.ids)

        def show_ids() -> None:
            shown = target.chosen() is not None
            self.ids.setVisible(shown)
            ids_label.setVisible(shown)

        target.changed.connect(show_ids)
        show_ids()


def _is_a(kinds: tuple[type[Layer], ...], layer: Layer) -> bool:
    return isinstance(layer, kinds) and not is_preview(layer)


def _label(text: str, tip: str) -> QLabel:
    label = QLabel(text)
    label.setToolTip(f"<qt>{tip}</qt>")
    return label


def _can_restrict(technique: Technique) -> bool:
    own = any(spec.name == "mask" for spec in technique.inputs)
    images = bool(technique.inputs) and technique.inputs[0].is_array and not technique.inputs[0].role.many
    return images and not own and technique.grid is None and not isinstance(technique.locality, Collection)
