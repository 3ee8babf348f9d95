"""Cost of importing the package and of starting napari with the plugin."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from typing import Any

ROUNDS = 7
IMPORT = "import time; t = time.perf_counter(); import napari_lightbox; print(time.perf_counter() - t)"
FIND = "import time; t = time.perf_counter(); import napari_lightbox as lb; lb.find(); print(time.perf_counter() - t)"
START = """
import sys, time, json
begin = time.perf_counter()
if sys.argv[1] == "without":
    # as if it was not installed: a plugin that is only disabled has had its manifest read
    from npe2.manifest import schema
    found = schema._from_dist
    schema._from_dist = lambda dist: None if "napari_lightbox" in str(dist._path) else found(dist)
import napari
viewer = napari.Viewer(show=False)
print(json.dumps(time.perf_counter() - begin))
viewer.close()
"""


def seconds(code: str, *arguments: str, display: bool = False) -> float:
    """Return what a script printed last, as a number."""
    command = [sys.executable, "-c", code, *arguments]
    if display and not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> dict[str, Any]:
    """Measure imports and napari's start in turn."""
    imports = [seconds(IMPORT) for _ in range(ROUNDS)]
    finds = [seconds(FIND) for _ in range(ROUNDS)]
    pairs = [(seconds(START, "without", display=True), seconds(START, "with", display=True)) for _ in range(ROUNDS)]
    summary = {
        "import_ms": 1e3 * statistics.median(imports),
        "find_ms": 1e3 * statistics.median(finds),
        "napari_without_s": statistics.median(a for a, _ in pairs),
        "napari_with_s": statistics.median(b for _, b in pairs),
        "napari_growth_s": statistics.median(b for _, b in pairs) - statistics.median(a for a, _ in pairs),
    }
    print(json.dumps(summary, indent=2), flush=True)
    return {"rows": [{"imports": imports, "finds": finds, "napari": pairs}], "summary": summary}
