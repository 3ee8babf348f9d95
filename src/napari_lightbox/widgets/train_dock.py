"""Train a U-Net from layers or a folder, and watch it learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from napari.layers import Image, Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_lightbox.contract import registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Job, Outcome
from napari_lightbox.errors import LightboxError
from napari_lightbox.models.device import need_torch
from napari_lightbox.models.train.job import TrainingJob
from napari_lightbox.models.train.settings import TrainSettings, train_documentation, train_parameters
from napari_lightbox.settings import settings
from napari_lightbox.widgets.annotate.task import Task
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.fields import ChoiceField, Field
from napari_lightbox.widgets.fold import Fold
from napari_lightbox.widgets.form import form_layout, readable
from napari_lightbox.widgets.layers import suggest_axes, volume_of
from napari_lightbox.widgets.local_run import LocalRun
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.parameter_field import OptionalField, make_field
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.plugin_settings import apply_settings
from napari_lightbox.widgets.results import Origin, show_outcome
from napari_lightbox.widgets.run_bar import RunBar
from napari_lightbox.widgets.showing import Limits
from napari_lightbox.widgets.technique_dock import dock_class
from napari_lightbox.widgets.train_source import TrainSource
from napari_lightbox.widgets.training_curve import TrainingCurve
from napari_lightbox.widgets.worker import Watch

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_lightbox.models.train.unet import Trained

_USUAL = ("ndim", "merge", "background", "minutes")
_STROKES = "ignore"
_START = {"minutes": 5.0}
_PREDICTION = "unet_segmentation"


class TrainDock(Docked):
    """Training data, settings, the course of the training, and the model that comes out."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Train a U-Net")
        self._viewer = napari_viewer
        self.job: TrainingJob | None = None
        self.trained: Trained | None = None
        self._course: Watch | None = None
        self.source = TrainSource(napari_viewer)
        self.name = QLineEdit("unet")
        self.strokes = QCheckBox("0 is not painted")
        self.strokes.setToolTip("<qt>Only painted pixels teach. Paint background, too, with a label of its own.</qt>")
        self.fields: dict[str, Field] = {}
        self.curve = TrainingCurve(napari_viewer.theme)
        self.result = PlainLabel()
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.use = QPushButton("Use this model…")
        self.use.setToolTip("Open U-Net segmentation with this model")
        self.bar = RunBar()
        self._loading = Task(_load_torch, "torch")
        self._lay_out()
        self._connect()
        self._load()

    def options(self) -> TrainSettings:
        """Return what the form says.

        Raises
        ------
        ParameterError
            Something entered is not allowed.
        """
        values = {name: field.value() for name, field in self.fields.items()}
        return TrainSettings(**values, ignore=0 if self.strokes.isChecked() else None)

    def train(self) -> None:
        """Start what the form describes."""
        try:
            apply_settings()
            options, pairs = self.options(), self.source.pairs()
        except LightboxError as error:
            self.bar.message.setText(str(error))
            show_failure(error)
            return
        # one core is left to the window
        threads = max(1, settings().threads - 1)
        self.curve.show_course((), (), None)
        self.result.clear()
        self.use.hide()
        self.job = TrainingJob(pairs, options, name=self.name.text().strip() or "unet", threads=threads)
        preview_on = self.source.first
        self.bar.follow(cast(Job, self.job), lambda trained: self._take(cast("Trained", trained), preview_on))
        self._course = Watch(cast(Job, self.job))
        self._course.progressed.connect(self._draw)
        self.job.start()

    def reset(self) -> None:
        """Show the defaults."""
        for name, parameter in train_parameters().items():
            if name in self.fields:
                self.fields[name].set_value(_START.get(name, parameter.default))
        self.strokes.setChecked(False)

    def open_prediction(self) -> None:
        """Open the dock that applies the model."""
        if self.trained is None:
            return
        dock = dock_class(registry.get(_PREDICTION))(self._viewer)
        dock.inputs.choosers["model"].choose(str(self.trained.folder))
        self._viewer.window.add_dock_widget(dock, name="U-Net segmentation (Lightbox)", area="right", tabify=True)

    def _load(self) -> None:
        """Load torch while the form is being filled: loading it holds the window up, which a run must not.

        Whoever presses Train is told what is wrong with it.
        """
        self.bar.run.setEnabled(False)
        self.bar.message.setText(_LOADING)
        self._loading.finished.connect(self._loaded)
        self._loading.failed.connect(self._loaded)
        self._loading.start()

    def _loaded(self, _: object) -> None:
        self.bar.run.setEnabled(True)
        self.bar.message.clear()

    def _forget(self) -> None:
        """Stop hearing of the training."""
        self._loading.release()
        if self._course is not None:
            self._course.release()

    def _draw(self, *_: Any) -> None:
        progress = self.job.progress if self.job is not None else None
        if progress is not None:
            self.curve.show_course(progress.dice, progress.loss, progress.best)

    def _take(self, trained: Trained, image: Any) -> None:
        self._draw()
        self.trained = trained
        early = "Stopped early; the best state is kept. " if trained.cancelled else ""
        history = trained.card.history
        self.result.setText(
            f"{early}Dice {trained.dice:.3f}, measured on {history['validated_on']}, after {len(history['dice'])} rounds.\n"
            f"Model: {trained.folder}"
        )
        self.use.show()
        if isinstance(image, Image) and image in self._viewer.layers:
            self._predict(trained, image)

    def _predict(self, trained: Trained, image: Image) -> None:
        """Show what the model makes of the image it was trained on."""
        axes = suggest_axes(image)[0]
        request = Request(_PREDICTION, (volume_of(image, axes), str(trained.folder)))
        LocalRun(self._viewer, self.bar, self._show).start(request, Origin(image, axes))

    def _show(self, outcome: Outcome, origin: Origin, limits: Limits | None) -> list[Layer]:
        try:
            return show_outcome(self._viewer, registry.get(_PREDICTION), outcome, origin, limits)[0]
        except LightboxError as error:
            show_failure(error)
            return []

    def _connect(self) -> None:
        layers = self._viewer.layers.events
        for emitter in (layers.inserted, layers.removed, layers.reordered):
            self.lifeline.connect(emitter, self._follow_layers)
        self.lifeline.connect(self._viewer.events.theme, self._follow_theme)
        self.lifeline.at_end(self.bar.drop)
        self.lifeline.at_end(self._forget)
        self.bar.asked.connect(self.train)
        self.bar.failed.connect(show_failure)
        self.bar.reset.clicked.connect(self.reset)
        self.use.clicked.connect(self.open_prediction)

    def _follow_layers(self, event: Any = None) -> None:
        self.source.refresh()

    def _follow_theme(self, event: Any = None) -> None:
        self.curve.use_theme(self._viewer.theme)

    def _lay_out(self) -> None:
        usual, advanced = form_layout(), form_layout()
        usual.addRow(QLabel("Name"), self.name)
        for name in (*_USUAL, *(n for n in train_parameters() if n not in (*_USUAL, _STROKES))):
            self._add_field(usual if name in _USUAL else advanced, name)
            if name == "merge":
                usual.addRow(QLabel("Strokes"), self.strokes)
        self.reset()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(2, 2, 6, 2)
        summary = QLabel("Learn from labels that you have painted, and paint the rest of such images by itself.")
        summary.setWordWrap(True)
        column.addWidget(summary)
        column.addWidget(self.source)
        column.addLayout(usual)
        column.addWidget(Fold("Advanced", advanced))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        self.bar.run.setText("Train")
        self.bar.run.setToolTip("Train a new model")
        self.bar.cancel.setText("Stop")
        self.bar.cancel.setToolTip("Stop before the next step and keep the best state")
        self.bar.help.hide()
        self.use.hide()
        whole = QVBoxLayout(self)
        for part, stretch in ((scroll, 1), (self.curve, 0), (self.result, 0)):
            whole.addWidget(part, stretch)
        below = QHBoxLayout()
        below.addWidget(self.use)
        below.addStretch(1)
        whole.addLayout(below)
        whole.addWidget(self.bar)
        self.setMinimumWidth(340)

    def _add_field(self, rows: Any, name: str) -> None:
        field, label = make_field(train_parameters()[name]), QLabel(_TITLES.get(name, readable(name)))
        tip = f"<qt>{train_documentation().parameters[name]}</qt>"
        field.setToolTip(tip)
        label.setToolTip(tip)
        field.set_suffix(_SUFFIX.get(name, ""))
        for position, text in enumerate(_CHOICES.get(name, ())):
            cast(ChoiceField, field).combo.setItemText(position, text)
        if isinstance(field, OptionalField) and name in _WITHOUT:
            field.automatic.setText(_WITHOUT[name])
        rows.addRow(label, field)
        self.fields[name] = field


def _load_torch(_: Control) -> None:
    need_torch()


_LOADING = "Loading PyTorch…"
_TITLES = {"ndim": "Dimensions", "merge": "One class for all", "background": "Background label", "minutes": "Stop after"}
_WITHOUT = {"minutes": "no limit", "background": "0, if any"}
_CHOICES = {"ndim": ("2D, plane by plane", "3D, volumes")}
_SUFFIX = {"minutes": " min", "rotation": "°", "elastic": " px", "patch": " px"}
