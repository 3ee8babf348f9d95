"""An Annotate dock, and a hand that paints on the canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import press, process_until

from napari_lightbox.settings import override
from napari_lightbox.testing import Hand


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path) -> Iterator[None]:
    """Keep journals out of the user's cache."""
    with override(cache_folder=tmp_path / "cache"):
        yield


@pytest.fixture
def annotate(viewer: Any) -> Iterator[Callable[[], Any]]:
    """Open the dock as napari does; the session of the viewer ends with the test."""
    from napari_lightbox.widgets.annotate import session
    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    docks: list[Any] = []

    def opened() -> Any:
        dock = AnnotateDock(viewer)
        viewer.window.add_dock_widget(dock, name=f"Annotate {len(docks)}")
        docks.append(dock)
        settle(dock)
        return dock

    yield opened
    for dock in docks:
        dock.shut_down()
    ended = session._sessions.pop(id(viewer), None)
    if ended is not None:
        ended.close()


@pytest.fixture
def scene(viewer: Any, annotate: Callable[[], Any]) -> tuple[Any, Any, Any]:
    """A volume of discs in millimetres, the dock, and the truth."""
    image, truth = two_discs(4)
    viewer.add_image(image, name="discs", axis_labels=tuple("zyx"), scale=(3, 1, 1), translate=(7, 0, 0), units=("mm",) * 3)
    viewer.dims.set_current_step(0, 2)
    dock = annotate()
    press(dock.panel.new)
    return dock, dock.panel.seeds.chosen(), truth


@pytest.fixture
def stroke(viewer: Any) -> Callable[..., None]:
    """Drag the mouse over the canvas through positions in pixels of a layer's last two axes."""
    return Hand(viewer).stroke


def paint_all(dock: Any, seeds: Any, stroke: Callable[..., None]) -> None:
    """Paint both discs and the background."""
    stroke(seeds, (36, 30), (44, 40))
    press(dock.panel.next_object)
    stroke(seeds, (36, 80), (44, 90))
    press(dock.panel.background)
    stroke(seeds, (6, 6), (6, 110))
    stroke(seeds, (74, 60), (10, 60))
    settle(dock)


def settle(dock: Any) -> None:
    """Wait until the dock has nothing left to do."""
    process_until(lambda: not dock.busy)


def two_discs(depth: int = 0) -> tuple[Any, Any]:
    """Return an image with two bright discs (cylinders) on noise, and their labels 1 and 2."""
    shape = (80, 120)
    y, x = np.indices(shape)
    truth = np.zeros(shape, np.int32)
    truth[(y - 40) ** 2 + (x - 35) ** 2 < 20**2] = 1
    truth[(y - 40) ** 2 + (x - 85) ** 2 < 18**2] = 2
    image = np.array([40, 180, 140])[truth] + np.random.default_rng(1).integers(-8, 8, shape)
    if depth:
        image, truth = np.stack([image] * depth), np.stack([truth] * depth)
    return image.astype(np.uint8), truth


def dice(a: Any, b: Any) -> float:
    """Return the Dice coefficient of two masks."""
    return float(2 * np.count_nonzero(a & b) / max(np.count_nonzero(a) + np.count_nonzero(b), 1))
