"""Connected components of 384^3 voxels in 1 to 512 chunks, beside scipy and dask-image."""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

import dask.array as da
import numpy as np
from scipy import ndimage

import napari_lightbox as lb

SIDE = 384
CHUNKS = (384, 192, 96, 48)
PATIENCE = 90


def volume() -> Any:
    """Return smooth blobs that cover 30 % of the volume."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(SIDE,) * 3).astype(np.float32), 6)
    return noise > np.quantile(noise, 0.7)


def _dask_image(chunk: int, queue: Any) -> None:
    from dask_image.ndmeasure import label

    mask = da.from_array(volume(), chunks=chunk)
    start = time.perf_counter()
    label(mask)[0].compute()
    queue.put(time.perf_counter() - start)


def dask_image_seconds(chunk: int) -> float | None:
    """Return the time of dask-image, None when it did not finish in `PATIENCE` seconds."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_dask_image, args=(chunk, queue))
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return float(queue.get(timeout=5))


def main() -> dict[str, Any]:
    """Measure every chunk size."""
    mask = volume()
    for chunk in (32, 64):
        lb.apply("connected_components", da.from_array(mask[:64, :64, :64], chunks=chunk)).compute()
    start = time.perf_counter()
    expected, count = ndimage.label(mask)
    scipy_seconds = time.perf_counter() - start
    rows = []
    for chunk in CHUNKS:
        lazy = da.from_array(mask, chunks=chunk, name=False)
        start = time.perf_counter()
        labels = lb.apply("connected_components", lazy).compute()
        ours = time.perf_counter() - start
        row = {
            "chunks": (SIDE // chunk) ** 3,
            "ours_s": ours,
            "over_scipy": ours / scipy_seconds,
            "equal": bool((labels == expected).all()),
            "dask_image_s": dask_image_seconds(chunk),
        }
        rows.append(row)
        other = f"{row['dask_image_s']:.1f} s" if row["dask_image_s"] is not None else f"more than {PATIENCE} s"
        figures = f"{ours:5.2f} s = {row['over_scipy']:.2f} x scipy, equal {row['equal']}"
        print(f"{row['chunks']:4} chunks: {figures}; dask-image {other}", flush=True)
    return {"rows": rows, "summary": {"objects": count, "scipy_s": scipy_seconds, "over_scipy_512": rows[-1]["over_scipy"]}}
