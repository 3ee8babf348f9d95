"""A scheduler that has the chunks it needs before it begins: asked for, waited for, held until it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dask._task_spec import DataNode, GraphNode, convert_legacy_graph
from dask.utils import ensure_dict

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.schedule import Scheduler, Span
from napari_lightbox.server.jobs.supplies import Supply, chunk_bytes
from napari_lightbox.server.jobs.waves import Needs, Number, Wave, needs_of, part_of, plan_waves
from napari_lightbox.server.store.source import number_of

ROOM = 2**28


class StagedScheduler:
    """Computes with another scheduler, after the chunks that a graph reads have come in.

    A graph that reads much is computed in parts, so that neither the wait for all of it comes first nor all of it has to
    lie on the disk at once.

    Parameters
    ----------
    inner
        Who computes.
    supplies
        Where chunks come from, by the name of the array that reads them; may grow.
    room
        Bytes of chunks that are asked for at once.
    """

    def __init__(self, inner: Scheduler, supplies: Mapping[str, Supply], room: int = ROOM) -> None:
        self._inner = inner
        self._supplies = supplies
        self._room = room

    def get(self, graph: Any, keys: Sequence[Any], control: Control, span: Span = (0.0, 1.0), message: str = "") -> Sequence[Any]:
        """Return the values of some keys of a culled graph.

        Raises
        ------
        ConnectionLostError
            The client does not send what is needed.
        """
        tasks = convert_legacy_graph(ensure_dict(graph if isinstance(graph, Mapping) else graph.__dask_graph__()))
        needs = self._needs(tasks)
        size = sum(chunk_bytes(self._supplies[name].card) * len(chunks) for name, chunks in needs.items())
        if size <= self._room / 2:
            with self._held(needs, control):
                return self._inner.get(tasks, keys, control, span, message)
        numbers = {name: self._number(name) for name in needs}
        sizes = {name: chunk_bytes(self._supplies[name].card) for name in needs}
        # one part is computed while the next one comes in
        return self._in_waves(tasks, keys, plan_waves(tasks, keys, numbers, sizes, self._room // 2), control, span, message)

    def _in_waves(
        self,
        tasks: Mapping[Any, GraphNode],
        keys: Sequence[Any],
        waves: Sequence[Wave],
        control: Control,
        span: Span,
        message: str,
    ) -> Sequence[Any]:
        known: dict[Any, GraphNode] = {}
        begin, length = span[0], (span[1] - span[0]) / len(waves)
        for n, wave in enumerate(waves):
            with self._held(wave.needs, control):
                self._ask(waves[n + 1].needs if n + 1 < len(waves) else {})
                part = part_of(tasks, wave.kept, known)
                values = self._inner.get(part, wave.kept, control, (begin + n * length, begin + (n + 1) * length), message)
            known.update({key: DataNode(key, value) for key, value in zip(wave.kept, values, strict=True)})
        return [known[key]() for key in keys]

    def _needs(self, tasks: Mapping[Any, GraphNode]) -> Needs:
        found = needs_of(tasks.values(), self._supplies)
        return {name: set(map(self._number(name), keys)) for name, keys in found.items()}

    def _number(self, name: str) -> Number:
        card = self._supplies[name].card
        return lambda key: number_of(card, key[1:])

    def _ask(self, needs: Needs) -> None:
        for name, chunks in needs.items():
            self._supplies[name].ask(sorted(chunks))

    @contextmanager
    def _held(self, needs: Needs, control: Control) -> Iterator[None]:
        self._ask(needs)
        with ExitStack() as stack:
            for name, chunks in needs.items():
                numbers = sorted(chunks)
                self._supplies[name].hold(numbers, control)
                stack.callback(self._supplies[name].release, numbers)
            yield
