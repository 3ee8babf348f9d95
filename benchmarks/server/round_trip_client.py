"""One side of the round-trip measurement, told what to do line by line; runs in its own process and, for the peer, environment.

``python round_trip_client.py ours|peer URL DEPTH``; commands: ``make SEED`` (a new volume), ``run`` (send it, have it inverted,
take it back), ``check`` (is the answer right?), ``drop`` (forget both), ``quit``. Each answers one line of JSON.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

PLANE = (1024, 1024)


def ours(url: str) -> Callable[[Any], Any]:
    import napari_lightbox as lb

    server = lb.connect(url)
    return lambda volume: np.asarray(server.apply("invert_intensity", volume))


def peer(url: str) -> Callable[[Any], Any]:
    from peer_process import client

    return client(url)


def volume_of(seed: int, depth: int) -> Any:
    """Return 12-bit noise: nothing that could be compressed by much."""
    return np.random.default_rng(seed).integers(0, 4096, (depth, *PLANE), dtype=np.uint16)


def main() -> None:
    """Do as told."""
    which, url, depth = sys.argv[1], sys.argv[2], int(sys.argv[3])
    call = {"ours": ours, "peer": peer}[which](url)
    volume = answer = None
    # the first call of a process loads libraries and opens connections
    warm = np.zeros((2, 64, 64), np.uint16)
    call(warm)
    say({"ready": True})
    for line in sys.stdin:
        command, *words = line.split()
        reply: dict[str, Any] = {}
        if command == "quit":
            return
        if command == "make":
            volume = volume_of(int(words[0]), depth)
        elif command == "run":
            start = time.perf_counter()
            answer = call(volume)
            reply["seconds"] = time.perf_counter() - start
        elif command == "check":
            assert volume is not None
            assert answer is not None
            same = answer.shape == volume.shape and answer.dtype == volume.dtype
            reply["equal"] = same and all(bool(np.array_equal(a, np.invert(b))) for a, b in zip(answer, volume, strict=True))
        elif command == "drop":
            volume = answer = None
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
        say(reply)


def say(reply: dict[str, Any]) -> None:
    print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
