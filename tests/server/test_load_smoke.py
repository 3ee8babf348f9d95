"""Several clients at once: every result is right, whatever the others do."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.server.live import OVER, TOKENS, Live, wait_for

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.client.connect import connect
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError

CLIENTS, ROUNDS = 6, 5


def images(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "plane": rng.integers(0, 255, (60, 70), dtype=np.uint8),
        "volume": rng.integers(0, 4096, (12, 40, 50), dtype=np.uint16),
        "mask": rng.random((10, 40, 40)) > 0.6,
    }


WORK: dict[str, tuple[str, str, dict[str, Any]]] = {
    "median of a plane": ("plane", "median_filter", {"size": 3}),
    "median of a volume": ("volume", "median_filter", {"size": 3}),
    "threshold": ("plane", "threshold_otsu", {}),
    "components": ("mask", "connected_components", {}),
}


def equal(given: Any, expected: Any) -> bool:
    if isinstance(expected, tuple):
        return len(given) == len(expected) and all(map(equal, given, expected))
    return np.asarray(given).dtype == np.asarray(expected).dtype and np.array_equal(given, expected)


def slice_of_a_film(server: Any, volume: Any) -> bool:
    """Look at one frame of a lazy film and leave the rest."""
    film = Volume(da.from_array(volume, chunks=(1, -1, -1)), Geometry.of("tyx", volume.shape))
    job = server.submit(Request("median_filter", (film,), {"size": 5}))
    seen = np.asarray(job.result(60).main.data[7])
    job.cancel()
    return equal(seen, lb.apply("median_filter", volume[7], size=5))


def cancelled_early(server: Any, volume: Any, moment: float) -> bool:
    """Cancel somewhere between the first byte and the last one; then it is either cancelled or right."""
    job = server.submit(Request("median_filter", (Volume(volume, Geometry.of("zyx", volume.shape)),), {"size": 7}))
    job.wait(moment)
    job.cancel()
    try:
        outcome = job.result(60)
    except CancelledError:
        return job.status == "cancelled"
    return equal(outcome.main.data, lb.apply("median_filter", volume, size=7))


def one_client(live: Live, number: int) -> list[str]:
    """Return what was wrong."""
    rng, wrong = random.Random(number), []
    # neighbours have the same images, one under the other's name
    given = images(number // 2)
    with connect(live.url, TOKENS["alice" if number % 3 else "bob"]) as server:
        for _ in range(ROUNDS):
            kind = rng.choice([*WORK, "film", "cancel"])
            if kind == "film":
                right = slice_of_a_film(server, given["volume"])
            elif kind == "cancel":
                right = cancelled_early(server, given["volume"], rng.uniform(0, 0.1))
            else:
                name, technique, parameters = WORK[kind]
                right = equal(server.apply(technique, given[name], **parameters), lb.apply(technique, given[name], **parameters))
            if not right:
                wrong.append(kind)
    return wrong


@pytest.mark.timeout(120)
def test_clients_at_once_get_what_each_would_get_alone(live: Live) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = list(pool.map(one_client, [live] * CLIENTS, range(CLIENTS)))
    assert found == [[]] * CLIENTS
    wait_for(lambda: all(job.status in OVER for job in live.services.table.list()))
    assert not [job.error for job in live.services.table.list() if job.status == "failed"]
    refused = [line["status"] for line in live.audit() if line["event"] == "refused"]
    assert not [status for status in refused if status >= 500 and status != 503]
