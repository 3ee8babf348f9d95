"""Other values at the same place, or at a place given with them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import AxesError

IMAGE = Volume(np.zeros((4, 5, 6)), Geometry.of("zyx", (4, 5, 6), (3, 1, 1), units=("mm",) * 3))


def test_other_values_at_the_same_place() -> None:
    other = IMAGE.with_data(np.ones((4, 5, 6), np.uint8), role="labels")
    assert other.geometry is IMAGE.geometry
    assert (other.dtype, other.role) == (np.uint8, "labels")


def test_a_slice_goes_with_the_geometry_of_a_slice() -> None:
    plane = IMAGE.with_data(IMAGE.data[2], geometry=IMAGE.geometry.select("yx"))
    assert plane.geometry.axes == "yx"
    assert plane.shape == (5, 6)


def test_a_slice_without_one_is_refused() -> None:
    with pytest.raises(AxesError, match="one letter per dimension"):
        IMAGE.with_data(IMAGE.data[2])


def test_lengths_that_nobody_knew_become_those_of_the_data() -> None:
    unknown = Volume(np.empty((0, 5)), Geometry.of("yx", (0, 5)))
    assert unknown.with_data(np.ones((7, 5))).geometry.shape == (7, 5)
