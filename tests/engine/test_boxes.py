"""Box arithmetic: pieces of chunks make up exactly the box."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.engine.boxes import assemble, bounds_of, grown, parts_of, shape_of, within

chunk_sizes = st.lists(st.integers(1, 7), min_size=1, max_size=6)


@given(data=st.data(), chunks=st.lists(chunk_sizes, min_size=1, max_size=3))
def test_parts_reassemble_any_box(data: st.DataObject, chunks: list[list[int]]) -> None:
    shape = [sum(c) for c in chunks]
    whole = np.arange(np.prod(shape)).reshape(shape)
    bounds = bounds_of(chunks)
    starts = [data.draw(st.integers(0, n - 1)) for n in shape]
    box = tuple(slice(s, data.draw(st.integers(s + 1, n))) for s, n in zip(starts, shape, strict=True))
    parts = list(parts_of(box, bounds))
    pieces = [whole[tuple(slice(e[i], e[i + 1]) for e, i in zip(bounds, p.index, strict=True))] for p in parts]
    result = assemble(pieces, [(p.inside, p.target) for p in parts], shape_of(box))
    np.testing.assert_array_equal(result, whole[box])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.integers(0, 9)), min_size=1, max_size=3))
def test_grown_box_is_cut_at_the_border_and_knows_its_core(axes: list[tuple[int, int, int]]) -> None:
    box = tuple(slice(start, start + length) for start, length, _ in axes)
    shape = tuple(s.stop + 3 for s in box)
    radius = tuple(r for _, _, r in axes)
    big = grown(box, radius, shape)
    for small, large, r, n in zip(box, big, radius, shape, strict=True):
        assert large.start == max(0, small.start - r)
        assert large.stop == min(n, small.stop + r)
    index = np.indices(shape)
    np.testing.assert_array_equal(index[(slice(None), *big)][(slice(None), *within(box, big))], index[(slice(None), *box)])
