"""The kinds of work that a client of the load does, each with its own check."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import napari_lightbox as lb
from napari_lightbox import Geometry, Table, Volume
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError

VARIANTS = 3
# floats of a block may differ from those of the whole in the last bits
TOLERANCE = 1e-5

Work = Callable[[Any, random.Random], bool]


@dataclass
class Plenty:
    """Inputs and what must come out of them, made once per process.

    Parameters
    ----------
    seed
        Processes with the same seed have the same inputs: then the server gets them several times.
    """

    seed: int
    _kept: dict[Any, Any] = field(default_factory=dict)

    def image(self, variant: int, shape: tuple[int, ...], dtype: str) -> Any:
        """Return a smooth image with noise."""
        return self._once(("image", variant, shape, dtype), lambda: _image(self.seed + variant, shape, dtype))

    def expected(self, technique: str, variant: int, *inputs: Any, **parameters: Any) -> Any:
        """Return what a run here gives."""
        return self._once((technique, variant), lambda: lb.apply(technique, *inputs, **parameters))

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]


def kinds_of(plenty: Plenty) -> dict[str, Work]:
    """Return the kinds of work by name; each gives whether what came back was right."""

    def plain(technique: str, shape: tuple[int, ...], dtype: str, **parameters: Any) -> Work:
        def work(server: Any, rng: random.Random) -> bool:
            variant = rng.randrange(VARIANTS)
            image = plenty.image(variant, shape, dtype)
            return same(server.apply(technique, image, **parameters), plenty.expected(technique, variant, image, **parameters))

        return work

    def labels(server: Any, rng: random.Random) -> bool:
        variant = rng.randrange(VARIANTS)
        mask = plenty.image(variant, (32, 96, 96), "uint8") > 150
        return same(server.apply("connected_components", mask), plenty.expected("connected_components", variant, mask))

    def table(server: Any, rng: random.Random) -> bool:
        variant = rng.randrange(VARIANTS)
        cells = (plenty.image(variant, (256, 256), "uint8") > 150).astype(np.int32)
        return same(server.apply("region_properties", cells), plenty.expected("region_properties", variant, cells))

    def slice_of_lazy(server: Any, rng: random.Random) -> bool:
        from benchmarks.server.stacks import lazy_stack

        variant, number = rng.randrange(VARIANTS), rng.randrange(24)
        film = lazy_stack(24, (128, 128), seed=plenty.seed + variant)
        job = server.submit(Request("median_filter", (film,), {"size": 3}))
        seen = np.asarray(job.result(120).main.data[number])
        job.cancel()
        return same(seen, lb.apply("median_filter", np.asarray(film.data[number]), size=3))

    def cancelled(server: Any, rng: random.Random) -> bool:
        image = plenty.image(rng.randrange(VARIANTS), (24, 192, 192), "uint16")
        volume = Volume(image, Geometry.of("zyx", image.shape))
        job = server.submit(Request("median_filter", (volume,), {"size": 9}, lazy=False))
        job.wait(rng.uniform(0.0, 0.5))
        job.cancel()
        with suppress(CancelledError):
            job.result(120)
        return job.status in ("cancelled", "done")

    return {
        "2D Gaussian, float32 512x512": plain("gaussian_blur", (512, 512), "float32", sigma=2.0),
        "2D Otsu, uint8 512x512": plain("threshold_otsu", (512, 512), "uint8"),
        "3D median, uint16 32x128x128": plain("median_filter", (32, 128, 128), "uint16", size=3),
        "3D components, 32x96x96": labels,
        "2D measurements, 256x256": table,
        "one slice of a lazy film": slice_of_lazy,
        "3D median, cancelled": cancelled,
    }


def same(given: Any, expected: Any) -> bool:
    """Tell whether two results are equal: to the bit, floats to a tolerance."""
    if isinstance(expected, tuple):
        return len(given) == len(expected) and all(same(a, b) for a, b in zip(given, expected, strict=True))
    if isinstance(expected, Table):
        return list(given) == list(expected) and all(same(given[name], expected[name]) for name in expected)
    a, b = np.asarray(given), np.asarray(expected)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind == "f":
        return bool(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
    return bool(np.array_equal(a, b))


def _image(seed: int, shape: tuple[int, ...], dtype: str) -> Any:
    rng = np.random.default_rng(seed)
    grids = np.meshgrid(*[np.linspace(0, 9, n) for n in shape], indexing="ij")
    unit = np.clip(0.5 + 0.3 * sum(np.sin(g) for g in grids) / len(grids) + rng.normal(0, 0.08, shape), 0, 1)
    return unit.astype(dtype) if np.dtype(dtype).kind == "f" else (unit * np.iinfo(dtype).max).astype(dtype)
