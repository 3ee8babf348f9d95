"""From brush release to result: each engine beside the plain library call of its method, on phantoms with three scribbles."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import napari_lightbox as lb
from benchmarks import plain_engines as plain
from napari_lightbox.samples import brain_mri, thorax_ct

SECONDS = 2.0
ROUNDS = 7
# a tie of one call with itself: enough rounds to tell, and what the machine's own wavering leaves
TIE_SECONDS = 60.0
TIE = 0.97
NEAR_ENOUGH = 0.995


@dataclass(frozen=True)
class Scene:
    """A picture, three scribbles (1 inside the object, 2 twice beside it) and the object."""

    name: str
    image: Any
    seeds: Any
    truth: Any

    @property
    def axes(self) -> str:
        """Axes of the picture."""
        return "zyx"[-self.image.ndim :]


@dataclass(frozen=True)
class Row:
    """One engine with the plain calls that do the same, by library."""

    technique: str
    parameters: dict[str, Any]
    peers: dict[str, Callable[..., Any]]
    wanted: float = 1.0
    seconds: float = SECONDS


def scenes() -> list[Scene]:
    """Return a brain tumour and a lung tumour, each as a plane of 512 x 512 and a box of 128 x 128 x 128."""
    made = []
    for name, body, label, plane, box in (
        ("brain", brain_mri, 7, (14.0, 210 / 512, 180 / 512), 1.15),
        ("chest", thorax_ct, 9, (20.0, 280 / 512, 380 / 512), 1.7),
    ):
        image, truth = (v.data for v in body(plane))
        found = truth == label
        z = int(found.sum(axis=(1, 2)).argmax())
        made.append(Scene(f"{name} 512x512", image[z], scribbles(found[z : z + 1])[0], found[z]))
        image, truth = (v.data for v in body((box,) * 3))
        found = truth == label
        centre = np.argwhere(found).mean(axis=0)
        part = tuple(
            slice(a, a + 128) for a in (int(np.clip(c - 64, 0, n - 128)) for c, n in zip(centre, found.shape, strict=True))
        )
        made.append(Scene(f"{name} 128^3", image[part].copy(), scribbles(found[part]), found[part]))
    return made


def scribbles(truth: Any) -> Any:
    """Return one stroke through the object and one on either side of it, all on its middle plane."""
    z = round(float(np.argwhere(truth)[:, 0].mean()))
    ys, xs = np.nonzero(truth[z])
    y, x = round(float(ys.mean())), round(float(xs.mean()))
    half, gap = max(int(np.ptp(xs)) // 4, 2), max(int(np.ptp(ys)) // 6, 3)
    seeds = np.zeros(truth.shape, np.int32)
    seeds[z, y - 1 : y + 2, x - half : x + half] = 1
    for side in (ys.min() - gap, ys.max() + gap):
        seeds[z, max(side - 1, 0) : side + 2, xs.min() : xs.max()] = 2
    return seeds


ROWS = (
    Row(
        "marker_controlled_watershed",
        {"watershed_line": False},
        {"SimpleITK": plain.itk_watershed, "scikit-image": plain.skimage_watershed},
    ),
    Row("random_walker", {"beta": 2000.0}, {"scikit-image": plain.skimage_walker}, wanted=3.0),
    Row("region_growing", {"tolerance": 30.0}, {"SimpleITK": plain.itk_growing, "scikit-image": plain.skimage_growing}),
    Row("grabcut", {}, {"OpenCV": plain.opencv_grabcut}),
    # on a plane this is OpenCV's own call
    Row("grabcut", {"seeds_are": "classes"}, {"OpenCV": plain.opencv_grabcut}, wanted=TIE, seconds=TIE_SECONDS),
    Row("graph_cut_voxel", plain.WHOLE_CUT, {"scipy": plain.scipy_cut}),
    Row("graph_cut_voxel", {}, {}),
    Row("pixel_classifier", plain.CLASSIFIER, {"scikit-image": plain.skimage_classifier}),
)


def measure(row: Row, scene: Scene) -> dict[str, Any]:
    """Time ours and the plain calls in turn and compare the labels."""
    seeds = np.array([0, 2, 1], np.int32)[scene.seeds] if row.parameters.get("seeds_are") == "classes" else scene.seeds

    def ours() -> Any:
        return _labels(lb.apply(row.technique, scene.image, seeds, axes=scene.axes, **row.parameters))

    calls: dict[str, Callable[[], Any]] = {"ours": ours}
    calls |= {name: lambda peer=peer: peer(scene.image, scene.seeds) for name, peer in row.peers.items()}  # type: ignore[misc]
    ours()
    results, seconds = _in_turn(calls, row.seconds)
    own = results.pop("ours") == 1
    best = min(row.peers, key=lambda name: seconds[name], default=None)
    ratio = seconds[best] / seconds["ours"] if best else None
    return {
        "scene": scene.name,
        "technique": row.technique,
        "parameters": row.parameters,
        "ms": {name: 1e3 * value for name, value in seconds.items()},
        "plain": best,
        "ratio": ratio,
        "agreement": {name: float(((found == 1) == own).mean()) for name, found in results.items()},
        "dice": dice(own, scene.truth),
        "dice_plain": {name: dice(found == 1, scene.truth) for name, found in results.items()},
        "ok": ratio is None or ratio >= row.wanted,
    }


def _labels(outcome: Any) -> Any:
    return outcome[0] if isinstance(outcome, tuple) else outcome


def _in_turn(calls: dict[str, Callable[[], Any]], seconds: float) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the results and median seconds; rounds of all calls, one round when that takes long."""
    results: dict[str, Any] = {}
    times: dict[str, list[float]] = {name: [] for name in calls}
    begin = time.perf_counter()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            results[name] = call()
            times[name].append(time.perf_counter() - start)
        if time.perf_counter() - begin > seconds:
            break
    return results, {name: statistics.median(values) for name, values in times.items()}


def dice(found: Any, truth: Any) -> float:
    """Return the overlap of two masks, 1 for equal ones."""
    return float(2 * (found & truth).sum() / max(found.sum() + truth.sum(), 1))


def main(only: str | None = None) -> dict[str, Any]:
    """Measure every engine on every scene."""
    rows = []
    print(f"{'engine':46} {'scene':14} {'ours':>9} {'plain':>10}  {'ratio':>7}  {'equal':>8}  Dice ours / plain")
    for scene in scenes():
        for row in ROWS:
            if only is None or only in row.technique:
                rows.append(measure(row, scene))
                print(_line(rows[-1]), flush=True)
    slow = [f"{r['technique']} {r['scene']}" for r in rows if not r["ok"]]
    unlike = [
        f"{r['technique']} {r['scene']}" for r in rows
        if r["technique"] == "random_walker" and max(r["agreement"].values()) < NEAR_ENOUGH
    ]  # fmt: skip
    return {"rows": rows, "summary": {"too_slow": slow, "random_walker_disagrees": unlike}}


def _line(row: dict[str, Any]) -> str:
    changed = ", ".join(f"{k}={v}" for k, v in row["parameters"].items())
    name = f"{row['technique']} ({changed})" if changed else row["technique"]
    start = f"{name[:46]:46} {row['scene']:14} {row['ms']['ours']:7.1f}ms"
    if row["plain"] is None:
        return f"{start} {'':10}  {'':7}  {'':8}  {row['dice']:.4f}"
    best = row["plain"]
    mark = " " if row["ok"] else "!"
    return (
        f"{start} {row['ms'][best]:8.1f}ms {mark}{row['ratio']:6.2f}x  {row['agreement'][best]:8.4%}  "
        f"{row['dice']:.4f} / {row['dice_plain'][best]:.4f} ({best})"
    )
