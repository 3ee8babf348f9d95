"""Write all blocks of a job: in order of wishes, a few at a time, two batches on their way at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.lower_sequence import SequenceLayer
from napari_lightbox.engine.schedule import scheduler
from napari_lightbox.errors import CancelledError
from napari_lightbox.server.jobs.batch import Writer
from napari_lightbox.server.jobs.chains import Chains
from napari_lightbox.server.jobs.layout import Group, Plan
from napari_lightbox.server.jobs.paces import Pace
from napari_lightbox.server.jobs.values import Values
from napari_lightbox.server.jobs.wishes import Index, Order, Region, Wishes

TASKS_PER_THREAD = 4
LANES = 2
BATCH_SECONDS, MOST_BLOCKS = 0.25, 128


@dataclass(frozen=True)
class Means:
    """What writing takes besides the plan.

    Parameters
    ----------
    folder
        For small files of the job.
    wishes
        Where wishes come in.
    threads
        Of all workers together.
    room
        Bytes of input that one batch of a sequence may need.
    check
        Raises when the disk is full.
    pace
        How long such blocks took before.
    """

    folder: Path
    wishes: Wishes
    threads: int
    room: int
    check: Callable[[], None]
    pace: Pace


def write_blocks(job_id: str, plan: Plan, values: Values | None, means: Means, control: Control) -> None:
    """Write what is not written yet, and hear wishes meanwhile.

    Raises
    ------
    CancelledError
        Somebody asked to stop.
    """
    orders = [Order(group.total) for group in plan.groups]
    progress = Progress(plan.total, control)
    lanes = []
    for group, order in zip(plan.groups, orders, strict=True):
        chains, written = _chains(group, means), _written(group)
        order.mark(written)
        progress.add(len(written))
        if chains is not None:
            chains.written(written)
        lanes.append(Lanes(Writer(job_id, group, values, chains), chains, order, means, progress))
    means.wishes.open(job_id, [sink.target.id for sink in plan.sinks], Wanted(plan, orders))
    try:
        for lane in lanes:
            lane.run(control)
    finally:
        means.wishes.close(job_id)


@dataclass(frozen=True)
class Wanted:
    """The wishes of one job, as numbers of its units."""

    plan: Plan
    orders: list[Order]

    def first(self, region: Region) -> None:
        """Have the blocks of a part of the main output come first."""
        self.orders[0].first(self.plan.region(region))

    def ask(self, array_id: str, index: Index) -> None:
        """Have the block behind a chunk come soon."""
        found = self.plan.chunk(array_id, index)
        if found is not None:
            self.orders[found[0]].ask(found[1])


class Progress:
    """Units that are written, told as they grow."""

    def __init__(self, total: int, control: Control) -> None:
        self._total = total
        self._control = control
        self._done = 0
        self._parts: dict[int, float] = {}
        self._told = 0.0
        self._lock = threading.Lock()

    def add(self, units: int, lane: int = -1) -> None:
        """Note that some units are written."""
        with self._lock:
            self._done += units
            self._parts.pop(lane, None)
        self._tell()

    def under_way(self, lane: int, units: float) -> None:
        """Note how much of a batch is done."""
        with self._lock:
            self._parts[lane] = units
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            share = (self._done + sum(self._parts.values())) / max(self._total, 1)
            self._told = max(self._told, min(share, 1.0))
            message = f"{self._done} of {self._total} blocks"
            told = self._told
        self._control.report(told, message)


class Share(Control):
    """The control of one batch: reports its part, and stops with the job or when another lane has failed."""

    def __init__(self, whole: Control, progress: Progress, lane: int, stop: threading.Event) -> None:
        super().__init__()
        self._whole = whole
        self._progress = progress
        self._lane = lane
        self._stop = stop
        self.units = 0

    @property
    def cancelled(self) -> bool:
        """Whether the batch is to stop."""
        return self._whole.cancelled or self._stop.is_set()

    def check(self) -> None:
        """Raise when the batch is to stop."""
        self._whole.check()
        if self._stop.is_set():
            raise CancelledError("block", "is not needed any more", "Look at what went wrong with the job")

    def report(self, fraction: float, message: str = "") -> None:
        """Report a part of the batch."""
        self.check()
        self._progress.under_way(self._lane, self.units * min(max(fraction, 0.0), 1.0))


class Lanes:
    """Threads that take batches of one group until all are written."""

    def __init__(self, writer: Writer, chains: Chains | None, order: Order, means: Means, progress: Progress) -> None:
        self._writer = writer
        self._chains = chains
        self._order = order
        self._means = means
        self._progress = progress
        self._count = 1 if chains is not None or writer.shares else LANES
        self._stop = threading.Event()

    def run(self, control: Control) -> None:
        """Write all units; the first error stops all lanes."""
        with ThreadPoolExecutor(self._count, thread_name_prefix="lightbox-lane") as pool:
            shares = [Share(control, self._progress, n, self._stop) for n in range(self._count)]
            lanes = [pool.submit(copy_context().run, self._lane, n, share) for n, share in enumerate(shares)]
            done, _ = wait(lanes, return_when=FIRST_EXCEPTION)
            failed = [error for lane in done if (error := lane.exception()) is not None]
            if failed:
                self._stop.set()
        if failed:
            raise failed[0]

    def _lane(self, number: int, share: Share) -> None:
        # whoever looks at a block does not wait for a full batch, nor does anybody who cannot know how long it takes
        size = 1 if self._order.is_looked_at else self._means.pace.first()
        least = max(1, TASKS_PER_THREAD * self._means.threads // self._count)
        while len(self._order):
            share.check()
            numbers = self._order.take(size) if self._chains is None else self._chains.take(self._order, self._means.threads)
            if not numbers:
                continue
            self._means.check()
            share.units = len(numbers)
            begin = time.monotonic()
            batch = self._writer.batch(numbers)
            batch.finish(scheduler().get(batch.graph, list(batch.then), share))
            self._progress.add(len(numbers), number)
            # small blocks go in large batches; what is asked for now waits no longer for the one under way
            took = time.monotonic() - begin
            self._means.pace.note(took / len(numbers))
            size = min(size * (4 if 2 * took < BATCH_SECONDS else 2), least if took > BATCH_SECONDS else MOST_BLOCKS)


def _chains(group: Group, means: Means) -> Chains | None:
    layers = [layer for layer in group.graph.layers.values() if isinstance(layer, SequenceLayer)]
    return Chains(group, layers[0], means.folder, means.room // 2) if layers else None


def _written(group: Group) -> list[int]:
    """Return the units that a server before has written."""
    if not any(sink.target.written() for sink in group.sinks):
        return []
    units = {number: group.blocks(group.unit(number)) for number in range(group.total)}
    return [number for number, blocks in units.items() if all(sink.is_written(block) for sink, block in blocks)]
