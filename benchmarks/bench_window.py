"""How long the window is deaf to its user while work goes on, and how long a stroke takes to its preview, in a real window."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

LIMIT_MS = 100.0


def main() -> dict[str, Any]:
    """Drive a window in a process of its own, under Xvfb where there is no display."""
    command = [sys.executable, "-m", "benchmarks.window_session"]
    if not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", "-s", "-screen 0 1400x900x24", *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    rows = json.loads(done.stdout.strip().splitlines()[-1])
    worst = {row["what"]: max(row["gap_ms"], row.get("accept_gap_ms", 0.0)) for row in rows}
    deaf = {what: gap for what, gap in worst.items() if gap > LIMIT_MS}
    return {"rows": rows, "summary": {"longest_gap_ms": max(worst.values()), "deaf_over_100_ms": deaf}}
