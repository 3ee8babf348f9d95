"""Everything an interactive segmentation consists of, so that it replays without a window, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import RecipeError
from napari_lightbox.interaction.arrays import ArrayStore
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.entries import INPUT, Accepted, Entry, Painted, Ran, SourceAdded, TargetAdded
from napari_lightbox.interaction.layout import Layout
from napari_lightbox.interaction.log_file import load_into, save
from napari_lightbox.interaction.pieces import Box
from napari_lightbox.interaction.places import box_within, landing, projected, settled
from napari_lightbox.interaction.source_hashes import SourceHashes


class InteractionLog:
    """Images, painted changes, runs and accepted results in the order in which they came; used from one thread.

    The log keeps a reference to the pixels of its sources, to hash what runs read of them, until `release`.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._sources: dict[str, SourceAdded] = {}
        self._targets: dict[str, TargetAdded] = {}
        self._runs: list[Ran] = []
        self.hashes = SourceHashes()
        self.arrays = ArrayStore()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that was done, in order."""
        return tuple(self._entries)

    @property
    def sources(self) -> Mapping[str, SourceAdded]:
        """Images by name."""
        return self._sources

    @property
    def targets(self) -> Mapping[str, TargetAdded]:
        """Labels by name."""
        return self._targets

    @property
    def runs(self) -> Sequence[Ran]:
        """Runs by number."""
        return self._runs

    def add_source(self, name: str, volume: Volume, path: str | None = None) -> None:
        """Name an image, and the file it came from; naming the same one again changes nothing.

        Small images are hashed as a whole, in the background; of larger ones what accepted runs have read.

        Raises
        ------
        RecipeError
            Another image has this name.
        """
        known = self._sources.get(name)
        if known is None:
            dtype = np.dtype(volume.dtype)
            self.append(SourceAdded(name, volume.geometry, dtype, volume.role, path, Layout.of(volume.data)))
        elif volume.geometry != known.geometry or np.dtype(volume.dtype) != known.dtype:
            raise RecipeError(name, "is another image in this log", "Use another name, or begin a new log")
        self.hashes.attach(name, volume)

    def release(self, name: str) -> None:
        """Let go of the pixels of a source, such as that of a layer that was deleted; no further run can be accepted on it."""
        self.hashes.release(name)

    def add_target(self, name: str, geometry: Geometry, dtype: Any, initial: Any = None) -> None:
        """Name a Labels layer that is painted or written into; it starts as zeros unless `initial` is given.

        Raises
        ------
        RecipeError
            A target has this name, or `initial` has another shape or type.
        """
        start = None
        if initial is not None:
            values = np.asarray(initial)
            if values.shape != geometry.shape or values.dtype != np.dtype(dtype):
                raise RecipeError(name, f"starts as {values.dtype} {values.shape}", f"Give {np.dtype(dtype)} {geometry.shape}")
            start = Delta.between(np.zeros(values.shape, values.dtype), values)
        self.append(TargetAdded(name, geometry, np.dtype(dtype), start))

    def paint(self, target: str, delta: Delta) -> None:
        """Record the net change of a stroke, an undo, a redo or a correction.

        Raises
        ------
        RecipeError
            No such target, or the change does not fit it.
        """
        self.append(Painted(target, delta))

    def run(self, request: Request, sources: Mapping[str, str]) -> int:
        """Record a run and return its number.

        Parameters
        ----------
        request
            What runs.
        sources
            Which inputs are logged elsewhere: input name (or ``"mask"``) to ``"source:<name>"`` or ``"target:<name>"``, the
            latter as it is at this moment. An input may also be cut from one, keeping its place in the world. All other
            inputs are kept in the log.

        Raises
        ------
        RecipeError
            An input is not what `sources` says, or too large to be kept.
        """
        names = [spec.name for spec in registry.get(request.technique).inputs]
        given = dict(zip(names, request.inputs, strict=False))
        if request.mask is not None:
            given["mask"] = request.mask
        references: dict[int, str] = {}
        boxes: dict[str, Box] = {}
        for name, reference in sources.items():
            volume = given.get(name)
            if not isinstance(volume, Volume):
                raise RecipeError(name, f"is said to be {reference}, but the run has no such image", "Name an image of the run")
            whole = self._whole(reference)
            if np.dtype(volume.dtype) != whole.dtype:
                raise RecipeError(name, f"has type {volume.dtype}, {reference} has {whole.dtype}", "Pass it unconverted")
            box = box_within(volume.geometry, whole.geometry, name, reference)
            if box is not None:
                boxes[name] = box
            references[id(volume.data)] = INPUT + name
        data = request.to_json(lambda array: references.get(id(array)) or self.arrays.put(array))
        number = len(self._runs)
        self.append(Ran(number, data, dict(sources), boxes))
        return number

    def accept(self, run: int, target: str, ids: Sequence[int] | None, region: Any = None, change: Delta | None = None) -> None:
        """Record that the result of a run was written into a target.

        Parameters
        ----------
        run, target
            Which result and where to.
        ids
            Ids written; None for all.
        region
            Where the result lies in the target (slices over its axes); None for the region of the run, or for all of it.
        change
            What changed in the target; a replay that gives anything else then says so.

        Raises
        ------
        RecipeError
            No such run or target.
        """
        if not 0 <= run < len(self._runs):
            raise RecipeError("log", f"has no run {run}", "Record the run first")
        made, whole = self._runs[run], self._whole(f"target:{target}")
        place = landing(made, whole.geometry) if region is None else settled(region, whole.geometry.shape)
        chosen = None if ids is None else tuple(int(i) for i in ids)
        self.append(Accepted(run, target, chosen, place, None if change is None else change.fingerprint))
        for name, reference in made.sources.items():
            kind, _, source = reference.partition(":")
            if kind == "source":
                self.hashes.ask(source, made.boxes.get(name) or projected(made, self._sources[source].geometry))

    def save(self, path: str | Path) -> None:
        """Write the log to one file, all or nothing.

        Raises
        ------
        WriteError
            The file cannot be written; what was there before is intact.
        """
        save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> InteractionLog:
        """Read a log.

        Raises
        ------
        ReadError
            Missing, damaged, not a log, or of a newer format.
        """
        log = cls()
        load_into(log, Path(path))
        return log

    def append(self, entry: Entry) -> None:
        """Add an entry that fits what is there.

        Raises
        ------
        RecipeError
            It does not.
        """
        if isinstance(entry, (SourceAdded, TargetAdded)):
            kind = self._sources if isinstance(entry, SourceAdded) else self._targets
            if entry.name in kind:
                raise RecipeError(entry.name, "is in the log already", "Use another name")
            if isinstance(entry, TargetAdded) and entry.initial is not None:
                _check_fits(entry.initial, entry)
            kind[entry.name] = entry  # type: ignore[assignment]
        elif isinstance(entry, Painted):
            _check_fits(entry.delta, self._whole(f"target:{entry.target}"))
        elif isinstance(entry, Ran):
            if entry.number != len(self._runs):
                raise RecipeError("log", f"has run {entry.number} out of order", "Take the last good copy")
            self._check_run(entry)
            self._runs.append(entry)
        else:
            self._check_accepted(entry)
        self._entries.append(entry)

    def _whole(self, reference: str) -> SourceAdded | TargetAdded:
        kind, _, name = reference.partition(":")
        known: Mapping[str, SourceAdded | TargetAdded] = {"source": self._sources, "target": self._targets}.get(kind, {})  # type: ignore[assignment]
        if name not in known:
            raise RecipeError("log", f"knows no {reference!r}", "Add the source or target before it is used")
        return known[name]

    def _check_run(self, entry: Ran) -> None:
        """Rebuild the request, with empty pixels for what is logged elsewhere."""

        def get(reference: str) -> Any:
            if not reference.startswith(INPUT):
                return self.arrays.get(reference)
            name = reference.removeprefix(INPUT)
            whole = self._whole(entry.sources[name])
            shape = [s.stop - s.start for s in entry.boxes[name]] if name in entry.boxes else whole.geometry.shape
            return np.broadcast_to(np.zeros((), whole.dtype), shape)

        for name, box in entry.boxes.items():
            if settled(box, self._whole(entry.sources[name]).geometry.shape) != box:
                raise RecipeError("log", f"cuts {name} from where nothing is", "Take the last good copy")
        Request.from_json(entry.request, get)

    def _check_accepted(self, entry: Accepted) -> None:
        whole = self._whole(f"target:{entry.target}")
        if not 0 <= entry.run < len(self._runs):
            raise RecipeError("log", f"has no run {entry.run}", "Record the run first")
        if entry.region is not None and settled(entry.region, whole.geometry.shape) != entry.region:
            raise RecipeError("log", f"accepts a result outside {entry.target}", "Take the last good copy")


def _check_fits(delta: Delta, target: SourceAdded | TargetAdded) -> None:
    if not delta.fits(target.geometry.shape, target.dtype):
        reason = f"is {target.dtype} {target.geometry.shape}, the change is for something else"
        raise RecipeError(target.name, reason, "Record changes of this layer only")
