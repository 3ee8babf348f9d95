"""Some clients in one process, each in a thread with a connection and a token of its own: ``load_clients URL SECONDS SEED``."""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from typing import Any

import httpx

import napari_lightbox as lb
from benchmarks.server.load_work import Plenty, Work, kinds_of

TOKENS = "LIGHTBOX_BENCHMARK_TOKENS"


class Tally:
    """What happened, from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.errors: list[str] = []
        self.statuses: Counter[int] = Counter()

    def count(self, kind: str, seconds: float, is_right: bool) -> None:
        """Count work that was done."""
        with self._lock:
            self.seconds[kind].append(seconds)
            if not is_right:
                self.wrong.append(kind)

    def fail(self, kind: str, error: BaseException) -> None:
        """Count work that failed."""
        with self._lock:
            self.errors.append(f"{kind}: {type(error).__name__}: {error}")

    def answered(self, status: int) -> None:
        """Count an answer of the server."""
        with self._lock:
            self.statuses[status] += 1


def main() -> None:
    """Work until the time is over, then say what happened."""
    url, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    tokens = os.environ[TOKENS].split()
    tally = Tally()
    listen_to_statuses(tally)
    # every other process has the inputs of its neighbour
    plenty = Plenty(seed // 2)
    kinds = kinds_of(plenty)
    warm(kinds)
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(url, token, kinds, tally, end, 1000 * seed + n)) for n, token in enumerate(tokens)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({**vars_of(tally), "clients": len(tokens)}), flush=True)


def vars_of(tally: Tally) -> dict[str, Any]:
    return {"seconds": tally.seconds, "wrong": tally.wrong, "errors": tally.errors, "statuses": dict(tally.statuses)}


def listen_to_statuses(tally: Tally) -> None:
    """Count the status of every answer, also of those that the client asks again after."""
    send = httpx.Client.send

    def counting(self: httpx.Client, *arguments: Any, **options: Any) -> httpx.Response:
        answer = send(self, *arguments, **options)
        tally.answered(answer.status_code)
        return answer

    httpx.Client.send = counting  # type: ignore[method-assign]


def warm(kinds: dict[str, Work]) -> None:
    """Compute what is expected before the clock runs."""

    class Here:
        """Stands in for the server."""

        apply = staticmethod(lb.apply)

    for name, work in kinds.items():
        if "lazy" in name or "cancelled" in name:
            continue
        for seed in range(20):
            work(Here, random.Random(seed))


def client(url: str, token: str, kinds: dict[str, Work], tally: Tally, end: float, seed: int) -> None:
    rng = random.Random(seed)
    names = list(kinds)
    try:
        server = lb.connect(url, token)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is measured
        tally.fail("connect", error)
        return
    with server:
        while time.monotonic() < end:
            kind = rng.choice(names)
            start = time.perf_counter()
            try:
                is_right = kinds[kind](server, rng)
            except Exception as error:  # noqa: BLE001
                tally.fail(kind, error)
            else:
                tally.count(kind, time.perf_counter() - start, is_right)


if __name__ == "__main__":
    main()
