"""A job begins with as many blocks as those of its kind were quick before, and with one where nobody knows or somebody looks."""

from __future__ import annotations

from itertools import chain

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from tests.server.jobs.served import finish, served, submit, volume

from napari_lightbox.engine.remembered import Remembered
from napari_lightbox.engine.request import Request
from napari_lightbox.server.jobs.batch import Writer
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.jobs.paces import FIRST_SECONDS, MOST_FIRST, Pace
from napari_lightbox.server.services import Services
from napari_lightbox.wire import ArrayCard

FILM = np.random.default_rng(3).integers(0, 99, (40, 12, 10)).astype(np.uint16)
CARD = ArrayCard("<u2", (9, 8, 8), (1, 8, 8))


def pace(known: Remembered, card: ArrayCard = CARD, **changes) -> Pace:
    request = {"technique": "gaussian_blur", "parameters": {"sigma": 1.0}, "over": None} | changes
    return Pace.of(known, Job("id", "ada", request), [card])


@given(st.floats(0, 1e6))
def test_the_first_blocks_fit_into_the_time(seconds) -> None:
    known = Remembered(8)
    pace(known).note(seconds)
    first = pace(known).first()
    assert 1 <= first <= MOST_FIRST
    assert first * seconds <= FIRST_SECONDS * (1 + 1e-9) or first == 1
    assert (first + 1) * seconds >= FIRST_SECONDS * (1 - 1e-9) or first == MOST_FIRST


@pytest.mark.parametrize(
    "changes",
    [
        {"technique": "median_filter"},
        {"parameters": {"sigma": 20.0}},
        {"over": "zyx"},
        {"card": ArrayCard("<u2", (9, 8, 8), (3, 8, 8))},
        {"card": ArrayCard("<f8", (9, 8, 8), (1, 8, 8))},
    ],
)
def test_other_blocks_are_not_known_by_it(changes) -> None:
    known = Remembered(8)
    assert pace(known).first() == 1
    pace(known).note(1e-3)
    assert pace(known, ArrayCard("<u2", (700, 8, 8), (1, 8, 8))).first() == MOST_FIRST
    assert pace(known, **changes).first() == 1


@pytest.fixture
def batches(monkeypatch) -> list[list[int]]:
    """Numbers of the blocks of each batch, in the order in which batches are made."""
    seen: list[list[int]] = []
    make = Writer.batch

    def batch(self, numbers):
        seen.append(list(numbers))
        return make(self, numbers)

    monkeypatch.setattr(Writer, "batch", batch)
    return seen


def run(services: Services, film: np.ndarray, **options) -> None:
    request = Request("gaussian_blur", (volume(film, "tyx"),), {"sigma": 1.0})
    assert finish(services, submit(services, request, {3: (1, 12, 10)}, **options).id).status == "done"


def remember(services: Services, seconds: float) -> None:
    """Have all kinds of blocks take so long, whatever the machine did meanwhile."""
    assert services.paces._values
    for kind in list(services.paces._values):
        services.paces.put(kind, seconds)


def test_a_second_film_begins_with_more_unless_somebody_looks(tmp_path, batches) -> None:
    begun = []
    with served(tmp_path) as services:
        for n, first in enumerate((None, None, [[30, 31], [0, 12], [0, 10]])):
            batches.clear()
            run(services, FILM + n, first=first)
            assert sorted(chain.from_iterable(batches)) == list(range(40))
            begun.append(batches[0])
            remember(services, 0.01)
    assert begun == [[0], list(range(10)), [30]]


def test_slow_blocks_are_begun_one_by_one(tmp_path, batches) -> None:
    with served(tmp_path) as services:
        run(services, FILM)
        remember(services, 3.0)
        batches.clear()
        run(services, FILM + 1)
    assert batches[0] == [0]
