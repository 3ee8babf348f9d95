"""The server on loopback: round trip beside the peer, view first, cancel, killed processes, load, cost per chunk, kept jobs.

``python -m benchmarks.bench_server [part ...] [--short]`` runs some parts alone; ``benchmarks.run server`` runs all of them.
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from typing import Any

PARTS = ("round_trip", "view_first", "kills", "throughput", "load", "kept_jobs")


def main(only: str | None = None, *, short: bool = False) -> dict[str, Any]:
    """Run the parts, each with servers of its own.

    Parameters
    ----------
    only
        Part of the name of a part.
    short
        Whether to try everything on less data and for less time; such figures prove nothing.
    """
    report: dict[str, Any] = {"rows": [], "summary": {}}
    for part in PARTS:
        if only is not None and only not in part:
            continue
        print(f"-- {part}", flush=True)
        done = import_module(f"benchmarks.server.{part}").main(short=short)
        report["rows"].append({"part": part, **{key: value for key, value in done.items() if key != "summary"}})
        report["summary"][part] = done["summary"]
    return report


def run_alone() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--short", action="store_true", help="less data, less time")
    arguments = parser.parse_args()
    for part in arguments.parts:
        print(json.dumps(main(part, short=arguments.short)["summary"], indent=1), flush=True)


if __name__ == "__main__":
    run_alone()
