"""The preview: shown until it is accepted into a Labels layer or discarded."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.interaction.accept import read_ids
from napari_lightbox.interaction.history import Action, Group
from napari_lightbox.widgets.annotate import edits
from napari_lightbox.widgets.annotate.actions import LayerAction, PixelAction
from napari_lightbox.widgets.annotate.bench import Bench
from napari_lightbox.widgets.annotate.plan import Piece
from napari_lightbox.widgets.annotate.preview_labels import PreviewLabels
from napari_lightbox.widgets.annotate.record import LayerRecord
from napari_lightbox.widgets.annotate.seeds import background_id, blank_layer, check_grid
from napari_lightbox.widgets.annotate.segment_panel import WHICH
from napari_lightbox.widgets.annotate.steps import Stepper, Steps
from napari_lightbox.widgets.arrival import bring_in
from napari_lightbox.widgets.layers import volume_of


class Accepting(QObject):  # type: ignore[misc]
    """Emits `accepted()` once objects were written."""

    accepted = Signal()

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self.preview = PreviewLabels(bench.viewer)
        self.stepper = Stepper()
        self._unseen = False
        bench.panel.discard.clicked.connect(self.discard)
        self.stepper.changed.connect(self.enable)
        self.enable()

    def show(self, piece: Piece) -> None:
        """Show the result of a run."""
        self.stepper.run(self._seen(piece), lambda _: self.enable(), self._bench.fail)
        self._unseen = True

    def withhold(self) -> bool:
        """Do not begin to show what is out of date, since a new layer takes napari the time of a short stroke.

        Returns
        -------
        bool
            Whether there was a result of which nothing was to be seen yet.
        """
        unseen, self._unseen = self._unseen, False
        if unseen:
            self.stepper.drop()
        return unseen

    def discard(self) -> None:
        """Drop the preview; the seeds stay."""
        if self.preview.pieces:
            self._bench.say("The preview was discarded; the seeds are still there.")
        self.preview.clear()
        self.enable()

    def enable(self) -> None:
        """Offer the buttons when there is something to accept."""
        for button in (self._bench.panel.accept, self._bench.panel.discard):
            button.setEnabled(bool(self.preview.pieces) and not self.stepper.busy)

    def accept(self, touched: set[int] | None) -> None:
        """Write the preview into the chosen layer; `touched` are the ids painted since the last time, None for any."""
        if not self.preview.pieces or self.stepper.busy:
            self._bench.say("There is no preview to accept: paint some seeds.")
            return
        try:
            chosen = self._ids(touched)
            record, made = self._target()
        except LightboxError as error:
            self._bench.fail(error)
            return
        pieces = list(self.preview.pieces)
        image = pieces[0].plan.image
        book = self._bench.session.logbook
        if any(piece.logged is not None for piece in pieces):
            book.target(image, record.layer, volume_of(record.layer, self._bench.seeds_axes))

        def done(written: tuple[list[int], list[Any]]) -> None:
            ids, deltas = written
            for piece in pieces:
                book.accept(image, piece.logged, record.layer, ids, piece.region)
            self._finish(record, deltas, made, ids)

        def failed(error: Exception) -> None:
            if made is not None:
                made.undo()
            self._bench.fail(error)

        background = background_id(pieces[0].plan.seeds)
        self.stepper.run(edits.accept(record, pieces, chosen, background), done, failed)

    def _finish(self, record: LayerRecord, deltas: list[Any], made: LayerAction | None, ids: list[int]) -> None:
        session, layer = self._bench.session, record.layer
        record.written(deltas, logged=False)
        what = f"object {ids[0]}" if len(ids) == 1 else f"{len(ids)} objects"
        pixels = PixelAction(f"accept of {what} into {layer.name}", record, deltas)
        actions: list[Action] = [pixels] if made is None else [made, pixels]
        session.push(Group(pixels.title, actions) if made is not None else pixels)
        self.preview.empty()
        self._bench.panel.target.choose(layer)
        self.enable()
        self._bench.say(f"Wrote {what} into {layer.name}." if deltas else f"{layer.name} holds that already.")
        self.accepted.emit()

    def _seen(self, piece: Piece) -> Steps:
        self._unseen = False
        yield from self.preview.add(piece, background_id(piece.plan.seeds))

    def _target(self) -> tuple[LayerRecord, LayerAction | None]:
        bench = self._bench
        plan = self.preview.pieces[0].plan
        layer = bench.target
        if layer is None:
            name = f"{plan.image.name} objects"
            layer = blank_layer(plan.image, plan.axes, name)
            at = bench.viewer.layers.index(self.preview.layer) if self.preview.layer in bench.viewer.layers else None
            bring_in(bench.viewer, layer, at)
            made = LayerAction(f"new layer {layer.name}", bench.viewer, layer, bench.session.hold)
            return bench.session.record(layer, empty=True), made
        if layer is plan.seeds:
            raise InputError(layer.name, "holds the seeds", "Accept into a new layer or another one")
        check_grid(layer, plan.image, plan.axes)
        return bench.session.record(layer), None

    def _ids(self, touched: set[int] | None) -> set[int] | None:
        """Return the ids to write, None for all of the preview.

        Raises
        ------
        ParameterError
            The ids cannot be read.
        """
        panel, seeds = self._bench.panel, self.preview.pieces[0].plan.seeds
        which = list(WHICH)[panel.which.currentIndex()]
        if which == "painted":
            return touched or None
        if which == "current" and isinstance(seeds, Labels):
            return {int(seeds.selected_label)}
        if which == "listed":
            listed = read_ids(panel.ids.text())
            return None if listed is None else set(listed)
        return None
