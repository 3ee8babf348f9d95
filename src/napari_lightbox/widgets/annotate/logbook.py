"""The interaction logs of a viewer: one per image, with every Labels layer that was painted or written for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari.layers import Labels, Layer

from napari_lightbox.axes import Volume
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.errors import LightboxError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.log import InteractionLog
from napari_lightbox.widgets.layers import volume_of
from napari_lightbox.widgets.messages import show_failure


@dataclass(frozen=True)
class LoggedRun:
    """A run as its log knows it."""

    log: InteractionLog
    number: int


@dataclass
class Book:
    """The log of one image and how it calls the layers."""

    log: InteractionLog = field(default_factory=InteractionLog)
    sources: dict[str, Any] = field(default_factory=dict)
    targets: dict[Layer, str] = field(default_factory=dict)
    drawn: dict[Layer, Any] = field(default_factory=dict)


class Logbook:
    """All logs; a log that cannot go on is closed with a message, and the work goes on without it.

    Parameters
    ----------
    content
        Returns what a layer holds as a change from zeros.
    """

    def __init__(self, content: Callable[[Layer, Any], Delta | None]) -> None:
        self._content = content
        self._books: dict[Layer, Book] = {}

    def log(self, image: Layer) -> InteractionLog | None:
        """Return the log of an image, None before anything was logged."""
        book = self._books.get(image)
        return None if book is None else book.log

    def layers(self, image: Layer) -> list[Layer]:
        """Return the layers that the log of an image speaks of."""
        book = self._books.get(image)
        return [] if book is None else list(book.targets)

    def adopt(self, image: Layer, log: InteractionLog, source: str, targets: dict[Layer, str]) -> None:
        """Go on with a log that was opened."""
        volume = volume_of(image)
        self._books[image] = Book(log, {source: volume.data}, dict(targets))

    def source(self, image: Layer, volume: Volume) -> str:
        """Return the name of an image in its log; another array of the same layer is another source."""
        book = self._books.setdefault(image, Book())
        for name, data in book.sources.items():
            if data is volume.data:
                return name
        name = _free(image.name, set(book.log.sources) | set(book.sources))
        path = getattr(getattr(image, "source", None), "path", None)
        book.log.add_source(name, volume, path)
        book.sources[name] = volume.data
        return name

    def target(self, image: Layer, layer: Layer, volume: Volume) -> str:
        """Return the name of a Labels layer in the log of an image, with what it holds now when it is new there."""
        book = self._books.setdefault(image, Book())
        if layer not in book.targets:
            name = _free(layer.name, set(book.log.targets))
            book.log.add_target(name, volume.geometry, volume.dtype)
            delta = self._content(layer, volume.data)
            if delta is not None:
                book.log.paint(name, delta)
            book.targets[layer] = name
        return book.targets[layer]

    def drawn(self, image: Layer, layer: Layer, volume: Volume) -> str:
        """Return the name of seeds that were made from points or shapes; the log holds them as painted."""
        book = self._books.setdefault(image, Book())
        if layer not in book.targets:
            name = self.target(image, layer, volume)
        else:
            name = book.targets[layer]
            delta = Delta.between(book.drawn[layer], volume.data)
            if delta is not None:
                book.log.paint(name, delta)
        book.drawn[layer] = volume.data
        return name

    def paint(self, layer: Layer, delta: Delta) -> None:
        """Tell every log that knows a layer of a change."""
        for image, book in list(self._books.items()):
            if layer in book.targets:
                try:
                    book.log.paint(book.targets[layer], delta)
                except LightboxError as error:
                    self._close(image, error)

    def run(self, image: Layer, seeds: Layer, request: Request) -> LoggedRun | None:
        """Record a run on an image with seeds, all as they are now; None when it cannot be logged."""
        picture, seeds_value = request.inputs[0], request.inputs[1]
        try:
            source = self.source(image, picture)
            named = self.target if isinstance(seeds, Labels) else self.drawn
            target = named(image, seeds, seeds_value)
            names = {"image": f"source:{source}", "seeds": f"target:{target}"}
            log = self._books[image].log
            return LoggedRun(log, log.run(request, names))
        except LightboxError as error:
            self._close(image, error)
            return None

    def accept(self, image: Layer, run: LoggedRun | None, target: Labels, ids: Sequence[int], region: Region) -> None:
        """Record that the result of a run was written into a layer that the log knows."""
        book = self._books.get(image)
        if book is None or run is None or run.log is not book.log:
            return
        try:
            book.log.accept(run.number, book.targets[target], list(ids), region)
        except LightboxError as error:
            self._close(image, error)

    def replaced(self, layer: Layer) -> None:
        """Take note that a layer got another array: it is another target from now on."""
        for book in self._books.values():
            book.targets.pop(layer, None)

    def release(self, layer: Layer) -> None:
        """Let go of the pixels of a layer that left the viewer."""
        book = self._books.get(layer)
        if book is not None:
            for name in book.sources:
                book.log.release(name)
            book.sources.clear()

    def clear(self) -> None:
        """Forget all logs."""
        self._books.clear()

    def _close(self, image: Layer, error: LightboxError) -> None:
        self._books.pop(image, None)
        reason = f"{error.subject} {error.reason}"
        show_failure(LightboxError(f"interaction log of {image.name}", reason, "A new log begins with the next run"))


def _free(name: str, taken: set[str]) -> str:
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name} {count}"
    return free
