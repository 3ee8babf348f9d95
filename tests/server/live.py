"""A server on a free port of this machine, in a thread, and how the tests talk to it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.server.app import make_app
from napari_lightbox.server.config import Limits, ServerConfig
from napari_lightbox.server.services import Services, open_services
from napari_lightbox.server.web_server import WebServer, listen, url_of
from napari_lightbox.wire import ArrayCard, encode_chunk
from napari_lightbox.wire.hashing import hash_values

TOKENS = {
    "admin": "admin-token-0123456789abcdefgh",
    "alice": "alice-token-0123456789abcdefgh",
    "bob": "bob-token-0123456789abcdefghij",
}
OVER = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Live:
    """A running server."""

    url: str
    config: ServerConfig
    services: Services
    server: WebServer

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @contextmanager
    def client(self, name: str = "alice", **options: Any) -> Iterator[httpx.Client]:
        headers = {"Authorization": f"Bearer {TOKENS[name]}", "Lightbox-Protocol": "1"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, **options) as client:
            yield client

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.config.folder / "audit.log").read_text("ascii").splitlines()]


@contextmanager
def live_server(folder: Path, limits: Mapping[str, Any] | None = None, clock: Any = None, **options: Any) -> Iterator[Live]:
    """Serve with the threads of this process in place of a cluster."""
    least = {"least_free": 2**20, "keep_alive": 0.2}
    config = ServerConfig(folder, TOKENS, limits=Limits(**(least | dict(limits or {}))), **options)
    services = open_services(config)
    listening = listen(config)
    server = WebServer(make_app(services, clock), config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="live-server")
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield Live(url_of(config, listening), config, services, server)
    finally:
        server.stop()
        thread.join(30)
        listening.close()
        services.close()
    assert not thread.is_alive()


def wait_for(condition: Callable[[], Any], patience: float = 60) -> Any:
    """Return the first true answer."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError("it never came true")


def register(client: httpx.Client, array: Any, chunks: tuple[int, ...], *, lazy: bool = False) -> tuple[str, list[int]]:
    """Register an array and return its id and what the server lacks of it."""
    card = ArrayCard.of(array, chunks)
    hashes = None if lazy else [hash_values(array[card.box(index)]) for index in card.indices]
    answer = client.post("/v1/sources", json={"card": card.to_json(), "hashes": hashes})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"], answer.json()["missing"]


def push(client: httpx.Client, source: str, array: Any, chunks: tuple[int, ...], numbers: Sequence[int] | None = None) -> None:
    """Send chunks, all by default."""
    card = ArrayCard.of(array, chunks)
    for n, index in enumerate(card.indices):
        if numbers is None or n in numbers:
            answer = client.put(f"/v1/sources/{source}/chunks/{n}", content=encode_chunk(array[card.box(index)]))
            assert answer.status_code == 204, answer.text


def send(client: httpx.Client, array: Any, chunks: tuple[int, ...]) -> str:
    """Register an array, send all of it and return its id."""
    source, missing = register(client, array, chunks)
    push(client, source, array, chunks, missing)
    return source


def volume(source: str, array: Any, axes: str, role: str = "image") -> dict[str, Any]:
    """Return a volume as a request holds it."""
    geometry = Geometry.of(axes, array.shape).to_json()
    return {"kind": "volume", "data": f"source:{source}", "geometry": geometry, "role": role, "name": "sample"}


def order(technique: str, *inputs: Any, **parameters: Any) -> dict[str, Any]:
    """Return the request for a job."""
    return {"technique": technique, "inputs": list(inputs), "parameters": parameters}


def submit(client: httpx.Client, request: Mapping[str, Any], **options: Any) -> str:
    """Submit a job and return its id."""
    answer = client.post("/v1/jobs", json={"request": request, **options})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["job"]["id"])


def finish(client: httpx.Client, job: str) -> dict[str, Any]:
    """Return the card of a job when it is over."""
    return wait_for(lambda: card if (card := client.get(f"/v1/jobs/{job}").json())["status"] in OVER else None)


def layout(client: httpx.Client, job: str) -> dict[str, Any]:
    """Return the outputs of a job as soon as they are known."""

    def look() -> Any:
        answer = client.get(f"/v1/jobs/{job}/outputs")
        assert answer.status_code in (200, 409), answer.text
        return answer.json() if answer.status_code == 200 else None

    return wait_for(look)


def array_id(told: Mapping[str, Any]) -> str:
    """Return the id of the first array among outputs."""
    first = next(value for value in told["outputs"].values() if isinstance(value, dict) and "data" in value)
    return str(first["data"].removeprefix("array:"))


def pixels(card: Mapping[str, Any], body: bytes, index: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return the values of a chunk that came as a whole, without the part beyond the edge."""
    known = ArrayCard.from_json(card)
    assert len(body) == prod(known.chunks) * known.kind.itemsize
    return np.frombuffer(body, known.kind).reshape(known.chunks)[tuple(map(slice, known.chunk_shape(index)))]


def inverted(client: httpx.Client, array: Any, chunks: tuple[int, ...], axes: str) -> tuple[str, str]:
    """Run a quick job to its end and return its id and that of its result."""
    job = submit(client, order("invert_intensity", volume(send(client, array, chunks), array, axes)))
    assert finish(client, job)["status"] == "done"
    return job, array_id(layout(client, job))
