"""Save the interaction log of an image, and open one to go on where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer

from napari_lightbox.engine.control import Control
from napari_lightbox.errors import InputError
from napari_lightbox.interaction.entries import Accepted
from napari_lightbox.interaction.log import InteractionLog
from napari_lightbox.interaction.replay import replay_log
from napari_lightbox.widgets.annotate.session import Session
from napari_lightbox.widgets.arrival import bring_in, select_soon
from napari_lightbox.widgets.layers import METADATA, volume_of
from napari_lightbox.widgets.placement import placed

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_lightbox.axes import Volume

ENDING = ".lightbox-log"


@dataclass(frozen=True)
class Opened:
    """A log that was replayed: its Labels by name, and which of them results were accepted into."""

    log: InteractionLog
    source: str
    targets: dict[str, Volume]
    accepted: str | None


def save_log(session: Session, image: Layer | None, path: str | Path) -> Path:
    """Write the log of an image and note in the layers where it lies.

    Raises
    ------
    InputError
        Nothing was logged yet.
    WriteError
        The file cannot be written.
    """
    log = session.logbook.log(image) if image is not None else None
    if log is None or image is None:
        raise InputError("log", "is empty", "Paint some seeds and run an engine first")
    path = Path(path)
    if path.suffix != ENDING:
        path = path.with_name(path.name + ENDING)
    log.save(path)
    for layer in session.logbook.layers(image):
        layer.metadata = {**layer.metadata, METADATA: {**layer.metadata.get(METADATA, {}), "log": str(path)}}
    return path


def opener(path: str | Path, image: Volume) -> Callable[[Control], Opened]:
    """Return the work of opening a log on an image, for a thread.

    Raises (when run)
    ------
    ReadError
        Missing, damaged, or not a log.
    RecipeError
        The log was made on another image.
    """

    def open_log(control: Control) -> Opened:
        log = InteractionLog.load(path)
        names = list(log.sources)
        if len(names) != 1:
            raise InputError(str(path), f"speaks of {len(names)} images", "Replay it with `lightbox batch`")
        targets = replay_log(log, {names[0]: image}, control.report)
        log.add_source(names[0], image)
        written = [entry.target for entry in log.entries if isinstance(entry, Accepted)]
        return Opened(log, names[0], targets, written[-1] if written else None)

    return open_log


def show_opened(session: Session, image: Layer, opened: Opened) -> tuple[Labels | None, Labels | None]:
    """Add the Labels of a log to the viewer, go on with the log, and return its seeds and its target."""
    layers: dict[Layer, str] = {}
    for name, volume in opened.targets.items():
        keywords: dict[str, Any] = placed(volume.geometry, image, volume_of(image).axes)
        keywords["metadata"] = {**volume.metadata, **keywords.get("metadata", {})}
        layers[bring_in(session.viewer, Labels(volume.data, name=name, **keywords))] = name
    session.logbook.adopt(image, opened.log, opened.source, layers)
    for layer in layers:
        session.record(layer)
    select_soon(session.viewer, list(layers))
    target = next((layer for layer, name in layers.items() if name == opened.accepted), None)
    seeds = next((layer for layer in layers if layer is not target), None)
    return seeds, target
