"""A halo declared one pixel too small does not get past the suite, whatever the technique."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.technique_hints import HINTS

from napari_lightbox.contract import Halo, Technique, registry
from napari_lightbox.engine.bind import bind
from napari_lightbox.engine.blocking import check_radius
from napari_lightbox.testing import technique_checks as checks
from napari_lightbox.testing.examples import Example
from napari_lightbox.testing.technique_suite import TechniqueSuite

LOCAL = [t for t in registry.find() if isinstance(t.locality, Halo) and t.grid is None]


class Suite(TechniqueSuite):
    hints = HINTS


def radius_of(technique: Technique, example: Example) -> tuple[int, ...]:
    options = {"axes": example.axes, "spacing": example.spacing, "over": example.over}
    bound = bind(technique, example.inputs, example.parameters, **options)
    return check_radius(bound, technique.locality)


def one_too_small(technique: Technique) -> Technique:
    honest = technique.locality.radius

    def radius(parameters, extent):
        declared = honest(parameters, extent)
        values = (declared,) * extent.ndim if isinstance(declared, int) else declared
        return tuple(max(int(r) - 1, 0) for r in values)

    return replace(technique, locality=Halo(radius))


@pytest.mark.parametrize("technique", LOCAL, ids=lambda t: t.id)
def test_a_halo_one_pixel_too_small_is_caught(technique: Technique) -> None:
    examples = [e for e in Suite().halo_examples(technique) if any(radius_of(technique, e))]
    assert examples, "no example of this technique looks at a neighbour"
    liar = one_too_small(technique)
    assert any(is_caught(liar, e) for e in reversed(examples)), "the declared radius is larger than needed, or the suite is blind"


def is_caught(liar: Technique, example: Example) -> bool:
    try:
        checks.check_halo(liar, example)
        for chunks in checks.chunkings(example.first.shape):
            checks.check_lazy_equals_eager(liar, example, chunks)
    except AssertionError:
        return True
    return False
