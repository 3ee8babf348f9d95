"""The dock of a technique: everything in it is made from the technique's contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_lightbox.axes.order import spatial_axes
from napari_lightbox.contract import Collection, Technique
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.form import Form
from napari_lightbox.widgets.help_dialog import help_dialog
from napari_lightbox.widgets.inputs import Inputs
from napari_lightbox.widgets.layers import unit_names
from napari_lightbox.widgets.local_run import LocalRun
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.options import Options
from napari_lightbox.widgets.outages import tell_failure
from napari_lightbox.widgets.plugin_settings import apply_settings, follow_preview_switch, preview_at_start
from napari_lightbox.widgets.preview import Preview
from napari_lightbox.widgets.remote_run import RemoteRun
from napari_lightbox.widgets.results import Origin
from napari_lightbox.widgets.run_bar import RunBar
from napari_lightbox.widgets.run_on import RunOn
from napari_lightbox.widgets.runners import shared_runner
from napari_lightbox.widgets.showing import Limits, show_all
from napari_lightbox.widgets.titles import short_title

if TYPE_CHECKING:
    from napari.viewer import Viewer


_LABEL_WIDTH = 140


class TechniqueDock(Docked):
    """Inputs, parameters, options, preview and run of one technique in one viewer."""

    def __init__(self, technique: Technique, viewer: Viewer) -> None:
        super().__init__(short_title(technique))
        self.technique = technique
        self._viewer = viewer
        self.inputs = Inputs(technique, viewer)
        self.form = Form(technique)
        self.options = Options(technique, viewer)
        self.live = QCheckBox("Live preview of the visible slice")
        self.live.setVisible(_has_preview(technique))
        self.run_on = RunOn(viewer, self.lifeline)
        self.bar = RunBar()
        self._remote: list[RemoteRun] = []
        self.preview = Preview(technique, viewer, shared_runner(), self.request)
        self._lay_out()
        self._connect()
        self._follow_inputs()
        if _has_preview(technique):
            self.live.setChecked(preview_at_start())
            follow_preview_switch(self.live.setChecked, self.lifeline)

    def request(self) -> tuple[Request, Origin]:
        """Return what Run would run, and what it starts from.

        Raises
        ------
        LightboxError
            The form is incomplete, or a preference cannot be used; the message says which.
        """
        apply_settings()
        inputs, parameters = self.inputs.values(), self.form.values()
        first, axes = self.inputs.first, self.inputs.axes
        target, ids = self.options.output()
        measured = next((layer for layer in self.inputs.layers("labels", "image_or_labels") if isinstance(layer, Labels)), None)
        lazy = target is None and all(spec.is_array for spec in self.technique.outputs)
        mask = self.options.restriction(first, axes)
        request = Request(self.technique.id, inputs, parameters, mask=mask, over=self.options.over(), lazy=lazy)
        return request, Origin(first, axes, measured, target, ids)

    def showEvent(self, event: QEvent) -> None:
        """Line the fields up once the window's font is known."""
        super().showEvent(event)
        _align([*self.inputs.labels, *self.form.labels, *self.options.labels])

    def _lay_out(self) -> None:
        summary = QLabel(self.technique.doc)
        summary.setWordWrap(True)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(2, 2, 6, 2)
        column.setSpacing(8)
        for part in (summary, self.inputs, _line(), self.form, _line(), self.options):
            column.addWidget(part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        whole = QVBoxLayout(self)
        whole.addWidget(scroll, 1)
        whole.addWidget(self.live)
        whole.addWidget(self.run_on)
        whole.addWidget(self.bar)
        self.setMinimumWidth(320)

    def _connect(self) -> None:
        layers = self._viewer.layers.events
        for emitter in (layers.inserted, layers.removed, layers.reordered):
            self.lifeline.connect(emitter, self._follow_layers)
        self.lifeline.at_end(self.preview.stop)
        self.lifeline.at_end(self.bar.drop)
        self.lifeline.at_end(self._forget)
        self.inputs.changed.connect(self._follow_inputs)
        self.options.changed.connect(self._follow_options)
        self.form.changed.connect(self.preview.refresh)
        self.live.toggled.connect(self._switch_preview)
        self.preview.said.connect(self._say)
        self.bar.asked.connect(self.run)
        self.bar.failed.connect(tell_failure)
        self.bar.reset.clicked.connect(self.form.reset)
        self.bar.help.clicked.connect(lambda: help_dialog(self.technique, self).show())

    def run(self) -> None:
        """Start the run the form describes."""
        try:
            request, origin = self.request()
        except LightboxError as error:
            self._say(str(error))
            show_failure(error)
            return
        self.live.setChecked(False)
        server = self.run_on.chosen()
        if server is None:
            LocalRun(self._viewer, self.bar, self._show).start(request, origin)
        else:
            remote = RemoteRun(self._viewer, self.bar, self._place)
            self._remote = [*(r for r in self._remote if r.busy), remote]
            remote.start(server, request, origin)

    def _show(self, outcome: Outcome, origin: Origin, limits: Limits | None) -> list[Layer]:
        try:
            layers, said = show_all(self._viewer, self.technique, outcome, origin, limits, self)
        except LightboxError as error:
            self._say(str(error))
            show_failure(error)
            return []
        self._say(said)
        return layers

    def _place(self, _: str, outcome: Outcome, origin: Origin, limits: Limits | None) -> list[Layer]:
        return self._show(outcome, origin, limits)

    def _forget(self) -> None:
        for remote in self._remote:
            remote.release()

    def _follow_layers(self, event: Any = None) -> None:
        self.inputs.refresh()
        self.options.refresh()

    def _follow_inputs(self) -> None:
        self.options.set_axes(self.inputs.axes)
        self._follow_options()
        if self.preview.active:
            self.preview.start(self.inputs.layers())

    def _follow_options(self) -> None:
        axes = spatial_axes(self.inputs.axes) if isinstance(self.inputs.first, (Image, Labels)) else "zyx"
        fixed = self.options.over() or self.technique.over
        flat = spatial_axes(fixed) if fixed else axes[-2:] if 3 not in self.technique.spatial else axes
        self.form.set_axes(flat)
        if isinstance(self.inputs.first, (Image, Labels)):
            self.form.set_length_unit(unit_names(self.inputs.first)[-1])
        self.preview.refresh()

    def _switch_preview(self, on: bool) -> None:
        if on:
            self.preview.start(self.inputs.layers())
        else:
            self.preview.stop()
            self._say("")

    def _say(self, text: str) -> None:
        self.bar.message.setText(text)


@cache
def dock_class(technique: Technique) -> Callable[[Viewer], TechniqueDock]:
    """Return the widget class napari instantiates for a technique."""

    class Dock(TechniqueDock):
        __doc__ = technique.doc

        def __init__(self, napari_viewer: Viewer) -> None:
            super().__init__(technique, napari_viewer)

    Dock.__name__ = Dock.__qualname__ = f"{technique.id}_dock"
    return Dock


def _has_preview(technique: Technique) -> bool:
    return any(spec.is_array for spec in technique.outputs) and not isinstance(technique.locality, Collection)


def _align(labels: list[QLabel]) -> None:
    """Give all labels one width, so that the fields of every part stand below each other."""
    width = min(max((max(label.sizeHint().width(), label.minimumWidth()) for label in labels), default=0), _LABEL_WIDTH)
    for label in labels:
        label.setMinimumWidth(width)


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line
