"""Every technique beside the best raw library call and the scikit-image or scipy routine."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np

import benchmarks.cases
import napari_lightbox as lb
from benchmarks.case import Case
from benchmarks.measure import geometric_mean, time_in_turn

# with a hundred and fifty comparisons some are beyond a limit by chance: those are taken this often again, and the middle counts
AGAIN = 2
SHAPES = {2: (1024, 1024), 3: (96, 128, 128)}


def all_cases() -> list[Case]:
    """Return the cases of all families."""
    modules = [importlib.import_module(f"benchmarks.cases.{m.name}") for m in pkgutil.iter_modules(benchmarks.cases.__path__)]
    return [case for module in modules for case in module.CASES]


def run_case(case: Case, ndim: int, dtype: str) -> dict[str, Any]:
    """Return the timings of one case on one type."""
    inputs = case.make(np.random.default_rng(0), SHAPES[ndim], dtype)
    options = {"axes": "zyx"[-ndim:], **case.options} if not isinstance(inputs[0], (list, tuple)) else dict(case.options)
    calls: dict[str, Any] = {"ours": lambda: lb.apply(case.technique, *inputs, **options, **case.parameters)}
    if case.raw is not None and ndim in case.raw_dims and dtype in case.raw_dtypes:
        calls["raw"] = lambda: case.raw(*inputs)
    if case.peer is not None:
        calls["peer"] = lambda: case.peer(*inputs)
    times = time_in_turn(calls)
    row: dict[str, Any] = {"technique": case.technique, "parameters": dict(case.parameters), "ndim": ndim, "dtype": dtype}
    row |= {f"{name}_ms": 1e3 * seconds for name, seconds in times.items()}
    if "raw" in times:
        row["over_raw"] = times["ours"] / times["raw"]
        row["within_raw"] = times["ours"] - times["raw"] <= max(0.15 * times["raw"], 0.3e-3)
    if "peer" in times:
        row["speedup"] = times["peer"] / times["ours"]
    return row


def main(only: str | None = None) -> dict[str, Any]:
    """Run all cases and return rows and summary."""
    rows = []
    for case in all_cases():
        if only is not None and only not in case.technique:
            continue
        for ndim in case.dims:
            for dtype in case.dtypes:
                row = run_case(case, ndim, dtype)
                if row.get("within_raw") is False:
                    row = _middle([row, *(run_case(case, ndim, dtype) for _ in range(AGAIN))])
                rows.append(row)
                print(_line(row), flush=True)
    return {"rows": rows, "summary": summarise(rows)}


def _middle(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row in the middle by what is lost to the raw call, with all of these losses."""
    lost = sorted(row["ours_ms"] - row["raw_ms"] for row in rows)
    middle = sorted(rows, key=lambda row: row["ours_ms"] - row["raw_ms"])[len(rows) // 2]
    return middle | {"lost_ms": lost}


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the geometric means and the cases that are slower than the raw call allows."""
    speedups = {n: [r["speedup"] for r in rows if r["ndim"] == n and "speedup" in r] for n in SHAPES}
    slow = [r for r in rows if r.get("within_raw") is False]
    return {
        "geometric_mean_2d": geometric_mean(speedups[2]),
        "geometric_mean_3d": geometric_mean(speedups[3]),
        "cases_with_raw": sum("raw_ms" in r for r in rows),
        "slower_than_raw": [f"{r['technique']} {r['ndim']}D {r['dtype']} {r['over_raw']:.2f}x" for r in slow],
    }


def _line(row: dict[str, Any]) -> str:
    raw = (
        f"raw {row['raw_ms']:9.2f} ({row['over_raw']:5.2f}x{'' if row['within_raw'] else ' !'})" if "raw_ms" in row else " " * 24
    )
    peer = f"peer {row['peer_ms']:9.2f} ({row['speedup']:7.1f}x)" if "peer_ms" in row else ""
    return f"{row['technique']:28} {row['ndim']}D {row['dtype']:8} ours {row['ours_ms']:9.2f} ms  {raw:26}  {peer}"
