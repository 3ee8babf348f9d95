"""A volume goes to the server, is inverted and comes back: seconds, memory of both sides, bytes on the wire, beside the peer."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.server.memory import PeakMemory, resident, tree
from benchmarks.server.peer import NoPeerError, environment, peer_server
from benchmarks.server.process import server
from benchmarks.server.relay import Relay

SCRIPT = Path(__file__).parent / "round_trip_client.py"
DEPTH, SHORT_DEPTH = 64, 16
ROUNDS, SHORT_ROUNDS = 5, 2
# what the peer in PEERS is allowed against ours: seconds as a ratio, memory in volumes
LEAST_RATIO = 5.0
MOST_VOLUMES = 2.5


@dataclass
class Side:
    """One of those compared: its client, told what to do line by line, and its server."""

    name: str
    client: subprocess.Popen[str]
    server_pid: int
    server_port: int
    seconds: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    idle: tuple[int, int] = (0, 0)

    def tell(self, command: str) -> dict[str, Any]:
        """Have the client do something and return its answer."""
        return tell(self.client, command)


def tell(client: subprocess.Popen[str], command: str) -> dict[str, Any]:
    assert client.stdin is not None
    client.stdin.write(command + "\n")
    client.stdin.flush()
    return answer_of(client)


def answer_of(client: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the next line that is an answer."""
    assert client.stdout is not None
    for line in client.stdout:
        if line.startswith("{"):
            answer: dict[str, Any] = json.loads(line)
            return answer
    raise RuntimeError("the client ended")


@contextmanager
def client(python: Path, which: str, url: str, depth: int, token: str) -> Iterator[subprocess.Popen[str]]:
    """Run a client that waits to be told."""
    command = [str(python), str(SCRIPT), which, url, str(depth)]
    surroundings = os.environ | {"LIGHTBOX_TOKEN": token}
    process = subprocess.Popen(command, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        answer_of(process)
        yield process
    finally:
        process.kill()
        process.wait()


def main(short: bool = False) -> dict[str, Any]:
    """Measure ours and the peer in turn."""
    depth, rounds = (SHORT_DEPTH, SHORT_ROUNDS) if short else (DEPTH, ROUNDS)
    size = depth * 1024 * 1024 * 2
    reason = ""
    with ExitStack() as scope:
        running = scope.enter_context(server())
        own = Path(sys.executable)
        sides = [
            Side("ours", scope.enter_context(client(own, "ours", running.url, depth, running.token)), running.pid, running.port)
        ]
        try:
            python = environment()
            port, pid = scope.enter_context(peer_server(python))
            url = f"http://127.0.0.1:{port}"
            sides.append(Side("imaging-server-kit", scope.enter_context(client(python, "peer", url, depth, "")), pid, port))
        except (NoPeerError, RuntimeError) as error:
            reason = str(error)
            print(f"the peer could not be measured: {reason}", flush=True)
        for side in sides:
            side.idle = resident(tree(side.client.pid)), resident(tree(side.server_pid))
        take_times(sides, rounds)
        for side in sides:
            take_memory(side, size)
        for side in sides:
            which, interpreter = ("ours", own) if side.name == "ours" else ("peer", python)
            take_bytes(side, which, interpreter, depth, running.token)
    return report(sides, size, reason)


def take_times(sides: list[Side], rounds: int) -> None:
    """Time new volumes and the same one again, in turn."""
    for seed in range(rounds):
        for side in sides:
            side.tell(f"make {seed}")
            side.seconds.append(side.tell("run")["seconds"])
            side.figures["equal"] = side.figures.get("equal", True) and side.tell("check")["equal"]
            side.again.append(side.tell("run")["seconds"])
            side.tell("drop")


def take_memory(side: Side, size: int) -> None:
    """Take the peaks of one round with a new volume; the client's counts its input and its result."""
    with PeakMemory(side.client.pid) as here, PeakMemory(side.server_pid) as there:
        side.tell("make 1000")
        side.tell("run")
    side.tell("drop")
    side.figures |= {
        "client_volumes": (here.most - side.idle[0]) / size,
        "server_volumes": (there.most - side.idle[1]) / size,
        "client_peak_mb": here.peak / 1e6,
        "server_peak_mb": there.peak / 1e6,
    }


def take_bytes(side: Side, which: str, python: Path, depth: int, token: str) -> None:
    """Count what goes over the wire for a new volume and for the same one again."""
    with Relay(side.server_port) as relay, client(python, which, relay.url, depth, token) as counted:
        tell(counted, "make 2000")
        relay.take()
        for name in ("first", "second"):
            tell(counted, "run")
            side.figures[f"{name}_up_mb"], side.figures[f"{name}_down_mb"] = (n / 1e6 for n in relay.take())


def report(sides: list[Side], size: int, reason: str) -> dict[str, Any]:
    """Print and return what was measured."""
    rows = []
    print(f"round trip of {size / 2**20:.0f} MiB uint16; memory in volumes above an idle process, input and result counted")
    for side in sides:
        row = {
            "name": side.name,
            "seconds": statistics.median(side.seconds),
            "again_seconds": statistics.median(side.again),
            "all_seconds": side.seconds,
            **side.figures,
        }
        rows.append(row)
        print(
            f"{side.name:20} {row['seconds']:6.2f} s, again {row['again_seconds']:6.2f} s, equal {row['equal']}; memory: client "
            f"{row['client_volumes']:5.2f}, server {row['server_volumes']:5.2f}; MB up/down: first {row['first_up_mb']:7.2f}/"
            f"{row['first_down_mb']:7.2f}, second {row['second_up_mb']:9.4f}/{row['second_down_mb']:7.2f}",
            flush=True,
        )
    mine = rows[0]
    summary = {
        "seconds": mine["seconds"],
        "client_volumes": mine["client_volumes"],
        "server_volumes": mine["server_volumes"],
        "memory_ok": max(mine["client_volumes"], mine["server_volumes"]) <= MOST_VOLUMES,
        "second_run_up_mb": mine["second_up_mb"],
        "peer": reason or "measured",
    }
    if len(rows) > 1:
        summary["times_faster"] = rows[1]["seconds"] / mine["seconds"]
        summary["faster_ok"] = summary["times_faster"] >= LEAST_RATIO
    else:
        rows.append({"name": "imaging-server-kit", "missing": reason})
    return {"rows": rows, "summary": summary}
