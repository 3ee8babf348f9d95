"""Peak memory of full runs on a stack eight times larger than the budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

BUDGET = 512 * 2**20
MARGIN = 300 * 10**6
CASES = {
    "gaussian_blur": {"sigma": 2.0},
    "invert_intensity": {},
    "threshold_otsu": {"scope": "layer"},
    "median_filter": {"size": 3},
}

SCRIPT = """
import json, resource, sys, time
import dask.array as da, numpy as np
import napari_lightbox as lb
from napari_lightbox.engine.local import LocalRunner
from napari_lightbox.engine.request import Request
technique, parameters, size = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
frames = size // (1024 * 1024 * 2)
base = np.random.default_rng(0).integers(0, 4000, (1024, 1024)).astype(np.uint16)
def frame(block_info=None):
    return (base + block_info[None]["chunk-location"][0] % 97)[None].astype(np.uint16)
stack = da.map_blocks(frame, chunks=((1,) * frames, (1024,), (1024,)), dtype=np.uint16)
volume = lb.Volume(stack, lb.Geometry.of("tyx", stack.shape))
runner = LocalRunner()
start = time.perf_counter()
outcome = runner.submit(Request(technique, (volume,), parameters, lazy=False)).result()
seconds = time.perf_counter() - start
shape = list(outcome.main.shape)
runner.close()
print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "seconds": seconds, "shape": shape}))
"""


def main() -> dict[str, Any]:
    """Run every case in a process of its own and return the peaks."""
    rows = []
    for technique, parameters in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"LIGHTBOX_MEMORY_BUDGET": str(BUDGET), "LIGHTBOX_CACHE": folder}
            command = [sys.executable, "-c", SCRIPT, technique, json.dumps(parameters), str(8 * BUDGET)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        row = {"technique": technique, "budget": BUDGET, **json.loads(done.stdout.splitlines()[-1])}
        row["ok"] = row["peak"] <= BUDGET + MARGIN
        rows.append(row)
        allowed = f"{BUDGET / 1e6:.0f} + 300 MB"
        print(
            f"{technique:20} peak {row['peak'] / 1e6:7.0f} MB, allowed {allowed}, {row['seconds']:.1f} s, ok {row['ok']}",
            flush=True,
        )
    return {"rows": rows, "summary": {"over": [r["technique"] for r in rows if not r["ok"]]}}
