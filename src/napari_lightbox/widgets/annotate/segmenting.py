"""From strokes to accepted objects: what the Segment page of the dock does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_lightbox.axes.order import spatial_axes
from napari_lightbox.engine.request import Region
from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.widgets.annotate.accepting import Accepting
from napari_lightbox.widgets.annotate.bench import Bench
from napari_lightbox.widgets.annotate.engines import Engine
from napari_lightbox.widgets.annotate.live import DRAWING_MS, Live
from napari_lightbox.widgets.annotate.painting import Painting
from napari_lightbox.widgets.annotate.plan import Piece, Plan
from napari_lightbox.widgets.annotate.tuning import Tuning
from napari_lightbox.widgets.layers import unit_names
from napari_lightbox.widgets.messages import show_failure


class Segmenting(QObject):  # type: ignore[misc]
    """Joins painting, running, previewing and accepting. Emits `accepted()`."""

    accepted = Signal()

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._asked = False
        self.painting = Painting(bench)
        self.accepting = Accepting(bench)
        self.tuning = Tuning(bench)
        self.live = Live(bench.runner, bench.bar, self.plan)
        panel, live = bench.panel, self.live
        self.painting.painted.connect(self._on_stroke)
        self.painting.drawn.connect(self._run_soon)
        self.painting.begun.connect(self._on_begun)
        self.tuning.changed.connect(self._run_soon)
        panel.engine_changed.connect(self._on_engine)
        panel.image_changed.connect(self._on_image)
        panel.seeds_changed.connect(live.stop)
        panel.accept.clicked.connect(self.accept)
        bench.bar.asked.connect(self.run)
        bench.bar.failed.connect(live.failed)
        live.found.connect(self._show)
        live.refused.connect(self._refuse)
        self.accepting.accepted.connect(self._on_accepted)

    @property
    def busy(self) -> bool:
        """Whether something runs or is being written."""
        return self.live.busy or self.painting.busy or self.accepting.stepper.busy

    @property
    def preview(self) -> Any:
        """The preview."""
        return self.accepting.preview

    def plan(self, engine: Engine | None = None) -> Plan:
        """Return what the page shows, perhaps with another engine.

        Raises
        ------
        LightboxError
            No image, no seeds, or a parameter that is not allowed.
        """
        bench = self._bench
        image, seeds, engine = bench.need_image(), bench.seeds, engine or bench.panel.chosen_engine
        if seeds is None:
            raise InputError("Seeds", "no layer is chosen", "Press New and paint")
        values = bench.panel.forms[engine.id].values()
        panel = bench.panel
        return Plan(bench.viewer, image, bench.axes, seeds, engine, values, panel.chosen_scope, panel.margin.value())

    def follow(self) -> None:
        """Follow what the page shows."""
        self.painting.follow()
        self._on_image()

    def run(self) -> None:
        """Run at once, because the user asked to."""
        self._asked = True
        self.live.now()

    def accept(self) -> None:
        """Write the preview."""
        if self.live.busy:
            self._bench.say("The engine is still at work; accept its result when it is there.")
            return
        self.accepting.accept(self.painting.touched)

    def take_winner(self, piece: Piece) -> None:
        """Go on with the engine that won a comparison."""
        self._bench.panel.choose_engine(piece.plan.engine.id)
        self.live.stop()
        self._show(piece)

    def stop(self) -> None:
        """Stop everything and take the preview away."""
        self.live.stop()
        self.painting.stop()
        self.tuning.stop()
        self.accepting.stepper.drop()
        self.accepting.preview.clear()

    def _on_stroke(self, box: Region) -> None:
        if self._bench.panel.live.isChecked():
            self._asked = False
            self.live.painted(box)
        else:
            self.live.outdated()

    def _on_begun(self) -> None:
        self.live.outdated()
        if self.accepting.withhold():
            self.live.missed()

    def _run_soon(self, *_: object) -> None:
        # a bound method: a lambda would keep this object alive for as long as its own parts live
        self._auto(DRAWING_MS)

    def _auto(self, delay: int) -> None:
        """Run again after a change that is no stroke, when runs follow changes and there is something to run on."""
        if self._bench.panel.live.isChecked() and self._bench.seeds is not None:
            self._asked = False
            self.live.again(delay)

    def _on_engine(self) -> None:
        self._follow_axes()
        if self.accepting.preview.pieces:
            self._auto(0)

    def _on_image(self) -> None:
        self.live.stop()
        self.accepting.preview.clear()
        self.accepting.enable()
        self._follow_axes()

    def _follow_axes(self) -> None:
        bench, panel = self._bench, self._bench.panel
        flat = bench.image is not None and len(spatial_axes(bench.axes)) < 3
        panel.limit_scopes(flat or panel.chosen_engine.flat)
        if bench.image is not None:
            panel.form.set_axes(spatial_axes(bench.axes))
            panel.form.set_length_unit(unit_names(bench.image)[-1])

    def _show(self, piece: Piece) -> None:
        logged = self._bench.session.logbook.run(piece.plan.image, piece.plan.seeds, piece.request)
        self.accepting.show(replace(piece, logged=logged))
        where = _size(piece.region)
        self._bench.say(f"{piece.plan.engine.name}: {where} in {piece.seconds * 1000:.0f} ms.")

    def _refuse(self, error: Exception, region: Region | None) -> None:
        """Say why there is no result; loudly only where the user asked for one."""
        if region is not None and self._is_empty(region):
            self.accepting.preview.drop(region)
            self.accepting.enable()
        self._bench.say(str(error))
        if self._asked or not isinstance(error, LightboxError):
            show_failure(error)
        self._asked = False

    def _is_empty(self, region: Region) -> bool:
        layer = self._bench.painted
        return isinstance(layer, Labels) and not np.asarray(layer.data[region]).any()

    def _on_accepted(self) -> None:
        self.painting.accepted()
        self.accepted.emit()


def _size(region: Region) -> str:
    return " × ".join(str(s.stop - s.start) for s in region if s.stop - s.start > 1)
