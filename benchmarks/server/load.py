"""Thirty-two clients at once: right answers, no failures of the server, bounded memory, and how long each kind of work takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.server.load_clients import TOKENS
from benchmarks.server.memory import resident, tree
from benchmarks.server.process import ROOT, ServerProcess, server

PROCESSES, CLIENTS_EACH = 4, 8
SECONDS, SHORT_SECONDS = 60.0, 12.0
STEP = 1.0
# memory in the last third of the time against the first
MOST_GROWTH = 1.5


def main(short: bool = False) -> dict[str, Any]:
    """Let the clients loose and count."""
    seconds = SHORT_SECONDS if short else SECONDS
    with server(users=PROCESSES * CLIENTS_EACH) as running, ExitStack() as scope:
        tokens = list(running.tokens.values())
        processes = [_clients(running, seconds, seed, tokens[seed::PROCESSES]) for seed in range(PROCESSES)]
        for process in processes:
            scope.callback(process.wait)
            scope.callback(process.kill)
        for process in processes:
            _line(process, "ready")
        for process in processes:
            _send(process)
        with ThreadPoolExecutor(PROCESSES) as pool:
            told = [pool.submit(_line, process, "{") for process in processes]
            memory = watch(running, told)
        tallies = [json.loads(line.result()) for line in told]
        cluster = running.ask("/v1/cluster")
        said = [line[:300] for line in running.said.splitlines() if "Traceback" in line or "ERROR" in line]
    return report(tallies, memory, cluster, said, seconds)


def watch(running: ServerProcess, told: list[Future[str]]) -> list[dict[str, float]]:
    """Take the memory of the server every second until all clients are through."""
    start, rows = time.monotonic(), []
    while not all(line.done() for line in told):
        everything = tree(running.pid)
        memory = {"server_mb": resident(everything[:1]) / 1e6, "all_mb": resident(everything) / 1e6}
        rows.append({"s": time.monotonic() - start, **memory})
        time.sleep(STEP)
    return rows


def report(tallies: list[Any], memory: list[dict[str, float]], cluster: Any, said: list[str], seconds: float) -> dict[str, Any]:
    """Print and return the table and the counts."""
    times: dict[str, list[float]] = defaultdict(list)
    statuses: Counter[str] = Counter()
    wrong, errors = [], []
    for tally in tallies:
        statuses.update(tally["statuses"])
        wrong += tally["wrong"]
        errors += tally["errors"]
        for kind, values in tally["seconds"].items():
            times[kind] += values
    rows = [_kind_row(kind, times[kind]) for kind in sorted(times)]
    rows.append(_kind_row("all", [value for values in times.values() for value in values]))
    for row in rows:
        print(f"{row['kind']:32} {row['count']:6} times, p50 {row['p50_s']:6.2f} s, p99 {row['p99_s']:6.2f} s", flush=True)
    failures = {status: count for status, count in statuses.items() if int(status) >= 500}
    summary = {
        "clients": sum(tally["clients"] for tally in tallies),
        "seconds": seconds,
        "jobs": rows[-1]["count"],
        "wrong": len(wrong),
        "errors": len(errors),
        "answers": dict(statuses),
        "answers_5xx": sum(failures.values()),
        **_memory(memory),
    }
    print(json.dumps(summary), flush=True)
    for error, count in Counter(errors).most_common(8):
        print(f"{count} x {error[:300]}", flush=True)
    return {
        "rows": [*rows, *memory],
        "wrong": wrong,
        "errors": errors,
        "server_said": said,
        "cluster": cluster,
        "summary": summary,
    }


def _kind_row(kind: str, values: list[float]) -> dict[str, Any]:
    p50, p99 = np.percentile(values, [50, 99]) if values else (float("nan"), float("nan"))
    return {"kind": kind, "count": len(values), "p50_s": float(p50), "p99_s": float(p99)}


def _memory(memory: list[dict[str, float]]) -> dict[str, Any]:
    """Return the peaks of the first and the last third, for the server alone and with its workers."""
    third = max(len(memory) // 3, 1)
    figures: dict[str, Any] = {}
    for name in ("server_mb", "all_mb"):
        first, last = (max(row[name] for row in part) for part in (memory[:third], memory[-third:]))
        figures |= {f"{name}_first_third": first, f"{name}_last_third": last}
    figures["memory_ok"] = figures["all_mb_last_third"] <= MOST_GROWTH * figures["all_mb_first_third"]
    return figures


def _clients(running: ServerProcess, seconds: float, seed: int, tokens: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.server.load_clients", running.url, str(seconds), str(seed)]
    surroundings = os.environ | {TOKENS: " ".join(tokens), "LIGHTBOX_THREADS": "1"}
    return subprocess.Popen(command, env=surroundings, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _send(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str], start: str) -> str:
    """Return the next line that begins so."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise RuntimeError("a process with clients ended before it said what happened")
