"""Do again what a log says, without a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.content import content_hash
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import DeltaError, RecipeError
from napari_lightbox.interaction.accept import changes
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.entries import INPUT, Accepted, Painted, Ran, TargetAdded
from napari_lightbox.interaction.log import InteractionLog
from napari_lightbox.interaction.source_hashes import box_of

Report = Callable[[float, str], None]

#: metadata of a replayed target: how the results accepted into it were made, in order
ACCEPTED = "accepted"


def replay_log(
    log: InteractionLog, sources: Mapping[str, Volume], report: Report | None = None, *, force: bool = False
) -> dict[str, Volume]:
    """Do everything again and return the targets by name, equal bit for bit.

    Parameters
    ----------
    log
        What was done. Runs of which no result was accepted are not repeated.
    sources
        The images by the names they have in the log.
    report
        Called with (fraction, message).
    force
        Take images with other pixels of the same shape: strokes are painted where they were, and engines find
        what they find there.

    Raises
    ------
    RecipeError
        An image is missing, has another shape or other pixels, or a run gives something else than it did.
    """
    return _Replay(log, sources, Control(report), force).run()


def needed_sources(log: InteractionLog) -> list[str]:
    """Return the names of the images without which the log cannot be replayed."""
    accepted = {entry.run for entry in log.entries if isinstance(entry, Accepted)}
    read = {reference for number in accepted for reference in log.runs[number].sources.values()}
    return [name for name in log.sources if f"source:{name}" in read]


class _Replay:
    def __init__(self, log: InteractionLog, sources: Mapping[str, Volume], control: Control, force: bool) -> None:
        self._log = log
        self._control = control
        self._force = force
        self._sources = {name: self._source(name, sources) for name in log.sources if name in {*sources, *needed_sources(log)}}
        self._arrays: dict[str, Any] = {}
        self._geometries: dict[str, Geometry] = {}
        self._history: dict[str, list[Any]] = {}
        self._outcomes: dict[int, tuple[Volume, Mapping[str, Any]]] = {}
        self._left: dict[int, int] = {}
        for entry in log.entries:
            if isinstance(entry, Accepted):
                self._left[entry.run] = self._left.get(entry.run, 0) + 1

    def run(self) -> dict[str, Volume]:
        self._check_pixels()
        total = len(self._log.entries)
        for number, entry in enumerate(self._log.entries):
            self._control.report(number / total)
            if isinstance(entry, TargetAdded):
                self._begin(entry)
            elif isinstance(entry, Painted):
                self._paint(entry)
            elif isinstance(entry, Ran) and entry.number in self._left:
                self._outcomes[entry.number] = self._execute(entry, number / total, 1 / total)
            elif isinstance(entry, Accepted):
                self._accept(entry)
        self._control.report(1.0)
        return {
            name: Volume(array, self._geometries[name], {ACCEPTED: self._history[name]}, "labels", name)
            for name, array in self._arrays.items()
        }

    def _source(self, name: str, sources: Mapping[str, Volume]) -> Volume:
        known = self._log.sources[name]
        if name not in sources:
            raise RecipeError(name, "is an image that the log needs", f"Give it; it came from {known.path or 'no file'}")
        wanted = known.geometry
        volume = _in_order(sources[name], wanted.axes)
        if volume.shape != wanted.shape or (not self._force and np.dtype(volume.dtype) != known.dtype):
            raise RecipeError(
                name,
                f"is {volume.dtype} {volume.shape}, the log was made on {known.dtype} {wanted.shape}",
                "Give the image it was made on",
            )
        geometry = wanted
        if self._force and volume.axes == wanted.axes:
            geometry = volume.geometry
        return Volume(known.layout.restore(volume.data), geometry, volume.metadata, volume.role, volume.name or name)

    def _check_pixels(self) -> None:
        if self._force:
            return
        for (name, spans), digest in self._log.hashes.known().items():
            if name in self._sources and content_hash(self._sources[name].data, box_of(spans), self._control.check) != digest:
                raise RecipeError(
                    name,
                    "has other pixels than the image the log was made on",
                    "Give that image, or use --force (force=True) to do the same on this one",
                )

    def _begin(self, entry: TargetAdded) -> None:
        try:
            array = np.zeros(entry.geometry.shape, entry.dtype)
        except (MemoryError, ValueError) as error:
            raise RecipeError(
                entry.name, f"of shape {entry.geometry.shape} does not fit into memory", "Use a larger machine"
            ) from error
        if entry.initial is not None:
            entry.initial.put(array)
        self._arrays[entry.name] = array
        self._geometries[entry.name] = self._moved(entry.geometry)
        self._history[entry.name] = []

    def _moved(self, geometry: Geometry) -> Geometry:
        """Return where a target lies: with the image it was made on, also when that is another one now."""
        for name, source in self._sources.items():
            recorded = self._log.sources[name].geometry
            shared = "".join(a for a in recorded.axes if a in geometry.axes)
            if shared == geometry.axes and recorded.select(shared) == geometry:
                return source.geometry.select(shared)
        return geometry

    def _paint(self, entry: Painted) -> None:
        array = self._arrays[entry.target]
        if self._force:
            entry.delta.put(array)
            return
        try:
            entry.delta.redo(array)
        except DeltaError as error:
            raise RecipeError(
                entry.target, f"does not hold what was painted over ({error.reason})", "The log is incomplete; take another copy"
            ) from error

    def _execute(self, entry: Ran, start: float, span: float) -> tuple[Volume, Mapping[str, Any]]:
        request = Request.from_json(entry.request, lambda reference: self._pixels(entry, reference))
        if self._force:
            request = self._moved_request(entry, request)
        control = Control(lambda fraction, message: self._control.report(start + span * fraction, message))
        outcome = execute(request, control)
        main = outcome.main
        if not isinstance(main, Volume):
            raise RecipeError(request.technique, "gives no labels that could have been accepted", "Take another copy of the log")
        # at once: what is read now must not change with the next stroke
        return main.with_data(np.asarray(main.data)), outcome.provenance

    def _accept(self, entry: Accepted) -> None:
        result, provenance = self._outcomes[entry.run]
        array = self._arrays[entry.target]
        axes = self._geometries[entry.target].axes
        values = _arranged(result, axes, entry.target)
        box = entry.region or tuple(slice(0, n) for n in array.shape)
        where, new = changes(array[box], values, entry.ids, entry.target)
        delta = Delta.of_pixels(tuple(w + s.start for w, s in zip(where, box, strict=True)), array[box][where], new)
        if entry.fingerprint is not None and not self._force and (delta.fingerprint if delta else None) != entry.fingerprint:
            raise RecipeError(
                entry.target,
                f"gets other pixels from {provenance['technique']} than when it was logged",
                "Replay it with the version and on the kind of machine it was made with, or use --force (force=True)",
            )
        if delta is not None:
            delta.redo(array)
        self._history[entry.target].append(dict(provenance))
        self._left[entry.run] -= 1
        if not self._left[entry.run]:
            del self._outcomes[entry.run]

    def _pixels(self, entry: Ran, reference: str) -> Any:
        if not reference.startswith(INPUT):
            return self._log.arrays.get(reference)
        name = reference.removeprefix(INPUT)
        kind, _, whole = entry.sources[name].partition(":")
        data = self._sources[whole].data if kind == "source" else self._arrays[whole]
        return data[entry.boxes[name]] if name in entry.boxes else data

    def _moved_request(self, entry: Ran, request: Request) -> Request:
        """Return the request with its images where the new ones lie."""

        def moved(name: str, value: Any) -> Any:
            if name not in entry.sources or not isinstance(value, Volume):
                return value
            kind, _, whole = entry.sources[name].partition(":")
            geometry = self._sources[whole].geometry if kind == "source" else self._geometries[whole]
            if name in entry.boxes:
                geometry = geometry.crop([s.start for s in entry.boxes[name]], value.shape)
            return replace(value, geometry=geometry)

        names = [spec.name for spec in registry.get(request.technique).inputs]
        inputs = tuple(moved(name, value) for name, value in zip(names, request.inputs, strict=False))
        return replace(request, inputs=inputs, mask=moved("mask", request.mask))


def _in_order(volume: Volume, axes: str) -> Volume:
    """Return a volume with its axes in the order of the log, when it has the same ones."""
    if volume.axes == axes or sorted(volume.axes) != sorted(axes):
        return volume
    order = [volume.axes.index(a) for a in axes]
    return replace(volume, data=volume.data.transpose(order), geometry=volume.geometry.select(axes))


def _arranged(result: Volume, axes: str, target: str) -> Any:
    """Return the labels with the axes of the target, in its order."""
    if sorted(result.axes) != sorted(axes):
        raise RecipeError(target, f"has axes {axes!r}, the result {result.axes!r}", "Take another copy of the log")
    return result.data.transpose([result.axes.index(a) for a in axes])
