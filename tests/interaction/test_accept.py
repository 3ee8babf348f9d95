"""Writing a result into labels: chosen ids only, the rest preserved, nothing wrapped around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.interaction.accept import changes, read_ids


def test_ids_are_read() -> None:
    assert read_ids("") is None
    assert read_ids("1, 3-5") == [1, 3, 4, 5]
    for bad in ("a", "1-", "0", "-2"):
        with pytest.raises(ParameterError):
            read_ids(bad)


def test_only_chosen_ids_change() -> None:
    old = np.array([[0, 1, 2, 7], [0, 1, 7, 7]])
    new = np.array([[2, 2, 0, 2], [1, 0, 1, 0]])
    where, values = changes(old, new, [1, 2])
    merged = old.copy()
    merged[where] = values
    np.testing.assert_array_equal(merged, [[2, 2, 0, 7], [1, 0, 7, 7]])
    where, values = changes(old, new, [2])
    merged = old.copy()
    merged[where] = values
    np.testing.assert_array_equal(merged, [[2, 1, 0, 7], [0, 1, 7, 7]])


@given(
    hnp.arrays(np.int32, (4, 5), elements=st.integers(0, 4)),
    hnp.arrays(np.int64, (4, 5), elements=st.integers(-1, 4)),
    st.one_of(st.none(), st.lists(st.integers(1, 5), min_size=1)),
)
def test_pixel_by_pixel(target, result, ids) -> None:
    """The rule, said for one pixel at a time."""
    chosen = set(ids) if ids is not None else set(result.ravel().tolist()) - {0}
    expected = target.copy()
    for place in np.ndindex(target.shape):
        old, new = int(target[place]), int(result[place])
        if old == 0 or old in chosen:
            expected[place] = new if new in chosen else 0
    where, values = changes(target, result, ids)
    merged = target.copy()
    merged[where] = values
    np.testing.assert_array_equal(merged, expected)
    assert (target[where] != values).all()


def test_ids_that_do_not_fit_the_target_are_refused_not_wrapped() -> None:
    target = np.zeros((2, 2), np.uint8)
    with pytest.raises(InputError, match="organs: has dtype uint8, too small"):
        changes(target, np.array([[256, 0], [0, 0]]), None, "organs")
    with pytest.raises(InputError, match="too small"):
        changes(target, np.array([[-1, 0], [0, 0]]), None)
    _, values = changes(target, np.array([[256, 7], [0, 0]]), [7])  # what is not chosen need not fit
    assert values.tolist() == [7]
    with pytest.raises(InputError, match="shape"):
        changes(target, np.zeros((3, 2), int), None)


def test_ranges_of_ids_must_make_sense() -> None:
    for text in ("5-3", "1-99999999999"):
        with pytest.raises(ParameterError, match="range"):
            read_ids(text)
