"""A server's services in a folder, without HTTP, and a client that sends what is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

import napari_lightbox as lb
from napari_lightbox.engine.kernel import Kernel
from napari_lightbox.engine.request import Request, decode
from napari_lightbox.server.config import Limits, ServerConfig
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.services import Services, open_services
from napari_lightbox.wire import ArrayCard, encode_chunk
from napari_lightbox.wire.hashing import hash_values

OWNER = "ada"
TOKENS = {OWNER: "token-of-ada-0123456789", "bob": "token-of-bob-0123456789"}


@contextmanager
def served(folder: Path, cluster: Any = None, limits: dict[str, Any] | None = None, **options: Any) -> Iterator[Services]:
    config = ServerConfig(folder, TOKENS, limits=Limits(**({"least_free": 1} | (limits or {}))))
    services = open_services(config, cluster, **options)
    try:
        yield services
    finally:
        services.close()


def wait_for(condition: Callable[[], Any], patience: float = 60) -> Any:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.005)
    raise AssertionError("it never came true")


def volume(data: Any, axes: str | None = None, role: str = "image", spacing: Any = None) -> lb.Volume:
    axes = axes or "tzyx"[-data.ndim :]
    return lb.Volume(data, lb.Geometry.of(axes, data.shape, spacing), {}, role, "sample")


def register(services: Services, array: np.ndarray, chunks: tuple[int, ...], *, lazy: bool, owner: str = OWNER) -> str:
    """Register an array; with hashes it is sent at once."""
    card = ArrayCard.of(array, chunks)
    hashes = None if lazy else [hash_values(array[card.box(index)]) for index in card.indices]
    source = services.sources.register(card, hashes, owner)
    if not lazy:
        for n in services.sources.missing(source.id):
            put(services, source.id, array, n)
    return source.id


def put(services: Services, source: str, array: np.ndarray, n: int) -> None:
    card = services.sources.get(source).card
    index = tuple(int(i) for i in np.unravel_index(n, card.grid))
    services.sources.put_chunk(source, n, encode_chunk(array[card.box(index)]))
    services.arrivals.arrived(source, [n])


def order(
    services: Services,
    request: Request,
    chunks: dict[int, tuple[int, ...]] | None = None,
    *,
    lazy: bool = False,
    owner: str = OWNER,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a request as it travels, and its arrays by the ids of their sources; `chunks` by number of axes."""
    sent: dict[str, np.ndarray] = {}

    def store(array: Any) -> str:
        values = np.asarray(array)
        size = (chunks or {}).get(values.ndim, tuple(max(n, 1) for n in values.shape))
        source = register(services, values, size, lazy=lazy, owner=owner)
        sent[source] = values
        return f"source:{source}"

    return request.to_json(store), sent


def submit(services: Services, request: Request, chunks: Any = None, owner: str = OWNER, **options: Any) -> Job:
    body, _ = order(services, request, chunks, owner=owner)
    return services.queue.submit({"request": body, **options}, owner)


def finish(services: Services, job_id: str, patience: float = 60) -> Job:
    return wait_for(lambda: job if (job := services.table.get(job_id)).is_over else None, patience)


def read(services: Services, reference: str) -> np.ndarray:
    array = services.results.open(reference.removeprefix("array:"))
    values = np.zeros(array.card.shape, array.card.kind)
    for index in array.card.indices:
        shape = array.card.chunk_shape(index)
        raw = np.fromfile(array.path(index), array.card.kind).reshape(array.card.chunks)
        values[array.card.box(index)] = raw[tuple(map(slice, shape))]
    return values


def outputs(services: Services, job_id: str) -> dict[str, Any]:
    told = services.queue.outputs(job_id)
    assert told["complete"]
    return {name: decode(value, lambda r: read(services, r)) for name, value in told["outputs"].items()}


def results(services: Services, job_id: str) -> dict[str, Any]:
    """Wait for a job and return its outputs."""
    job = finish(services, job_id)
    assert job.status == "done", job.error
    return outputs(services, job_id)


class Sender:
    """A client that sends the chunks that are asked for, while it is awake; it notes which and in what order."""

    def __init__(self, services: Services, arrays: dict[str, np.ndarray], job_id: str) -> None:
        self.services, self.arrays, self.job_id = services, arrays, job_id
        self.sent: list[int] = []
        self.most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(0.002):
            for event in self.services.arrivals.wanted(self.job_id):
                source = event.data["source"]
                self.most = max(self.most, len(event.data["chunks"]))
                for n in event.data["chunks"]:
                    self.sent.append(n)
                    put(self.services, source, self.arrays[source], n)


class Kernels:
    """Counts what techniques compute in this process, and can hold them."""

    def __init__(self, monkeypatch: Any) -> None:
        self.places: list[Any] = []
        self.gate = threading.Event()
        self.gate.set()
        self.after = 0
        self.most = 10**9
        original = Kernel.element

        def element(kernel: Kernel, blocks: Any, index: Any, place: Any, statistics: Any) -> Any:
            self.places.append((place.mapped, place.given, index))
            if len(self.places) > self.after:
                self.gate.wait(60)
            return original(kernel, blocks, index, place, statistics)

        monkeypatch.setattr(Kernel, "element", element)

    def hold(self, after: int) -> None:
        """Let so many elements through from now on, and hold those that follow."""
        self.places.clear()
        self.after = after
        self.gate.clear()

    def go(self) -> None:
        self.gate.set()
