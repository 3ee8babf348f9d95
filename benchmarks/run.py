"""Run all benchmarks, print them and write JSON: ``python -m benchmarks.run [section ...] [--only TECHNIQUE]``."""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

SECTIONS = ("startup", "techniques", "latency", "annotate", "window", "components", "memory", "server")
LIBRARIES = ("numpy", "scipy", "scikit-image", "opencv-python", "SimpleITK", "numba", "dask", "zarr", "napari-lightbox")


def machine() -> dict[str, Any]:
    """Return what the figures were taken on."""
    import os

    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def main() -> None:
    """Run the chosen sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=list(SECTIONS))
    parser.add_argument("--only", help="part of a technique id, or of the name of a part of the server section")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    report: dict[str, Any] = {"time": datetime.now(UTC).isoformat(), "machine": machine()}
    for section in arguments.sections:
        print(f"\n== {section}", flush=True)
        module = import_module(f"benchmarks.bench_{section}")
        filtered = arguments.only is not None and section in ("techniques", "latency", "annotate", "server")
        report[section] = module.main(arguments.only) if filtered else module.main()
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / f"{report['time'][:19].replace(':', '')}.json"
    path.write_text(json.dumps(report, indent=1))
    print(f"\nwritten to {path}")
    for section in arguments.sections:
        print(section, json.dumps(report[section]["summary"], indent=1))


if __name__ == "__main__":
    main()
