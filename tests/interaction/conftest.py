"""A person at work: keeps arrays of their own, which a replay of the log must give bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.log import InteractionLog


class Person:
    """Paints, runs engines and accepts results on one image, telling the log of it."""

    def __init__(self, image: Volume, dtype=np.int32) -> None:
        self.image = image
        self.log = InteractionLog()
        self.log.add_source("image", image, "scan.nii.gz")
        spatial = image.geometry.without("c")
        self.arrays = {name: np.zeros(spatial.shape, dtype) for name in ("seeds", "organs")}
        self.geometry = spatial
        for name in self.arrays:
            self.log.add_target(name, spatial, dtype)
        self.done: list[tuple[str, Delta]] = []
        self.changes: list[Delta | None] = []

    def paint(self, name: str, box: tuple[slice, ...], value: int) -> None:
        array = self.arrays[name]
        before = array.copy()
        array[box] = value
        delta = Delta.between(before, array)
        if delta is not None:
            self.done.append((name, delta))
            self.log.paint(name, delta)

    def undo(self) -> None:
        name, delta = self.done.pop()
        delta.undo(self.arrays[name])
        self.log.paint(name, delta.inverse)

    def volume(self, name: str) -> Volume:
        return Volume(self.arrays[name], self.geometry, role="labels", name=name)

    def run(self, technique: str, *, region=None, mask=None, inputs=None, names=None, **parameters):
        """Run an engine on image and seeds, and return the number of the run and its result."""
        inputs = inputs or (self.image, self.volume("seeds"))
        names = names or {"image": "source:image", "seeds": "target:seeds"}
        request = Request(technique, inputs, parameters, mask=mask, region=region, preview=region is not None)
        number = self.log.run(request, names)
        return number, execute(request, Control()).main

    def accept(self, number: int, result: Volume, ids=None, box=None, told=True) -> None:
        """Write a result by the rule of `accept`, said once more in other words."""
        array = self.arrays["organs"]
        box = box or tuple(slice(0, n) for n in array.shape)
        before = array.copy()
        part, new = array[box], np.asarray(result.data)
        chosen = np.unique(new[new != 0]) if ids is None else np.array(ids)
        free = (part == 0) | np.isin(part, chosen)
        part[free] = np.where(np.isin(new, chosen), new, 0)[free]
        self.log.accept(number, "organs", ids, change=Delta.between(before, array) if told else None)


def phantom(shape: tuple[int, ...], spacing=None, dtype=np.int16, seed: int = 0, colours: int = 0) -> Volume:
    """Two noisy balls on a noisy ground."""
    rng = np.random.default_rng(seed)
    places = np.indices(shape).reshape(len(shape), *shape)
    data = rng.normal(0, 12, shape)
    for number, centre in enumerate(([0.3] * len(shape), [0.7] * len(shape)), start=1):
        centre = np.array(centre) * shape
        distance = sum(((p - c) / (0.2 * n)) ** 2 for p, c, n in zip(places, centre, shape, strict=True))
        data[distance < 1] += 60 * number
    axes = "zyx"[-len(shape) :]
    if colours:
        data = np.stack([data + 5 * i for i in range(colours)], -1)
        axes += "c"
    low = 0 if np.dtype(dtype).kind == "u" else -300
    return Volume(np.clip(np.rint(data + 40), low, 250).astype(dtype), Geometry.of(axes, data.shape, spacing), name="phantom")


@pytest.fixture
def flat() -> Person:
    return seeded(Person(phantom((48, 56))))


@pytest.fixture
def solid() -> Person:
    return seeded(Person(phantom((14, 30, 32), (3.0, 1.0, 0.8))))


def seeded(person: Person) -> Person:
    """Three scribbles: ground and both balls."""
    shape = person.geometry.shape
    person.paint("seeds", (slice(0, 1),) * len(shape), 3)
    for value, part in ((1, 0.3), (2, 0.7)):
        box = tuple(slice(int(part * n) - 1, int(part * n) + 2) for n in shape)
        person.paint("seeds", box, value)
    return person
