"""The task functions of the lazy engine: small, picklable, no closures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_lightbox.engine.gather import Assembly, gather_blocks
from napari_lightbox.engine.kernel import Kernel, Place
from napari_lightbox.engine.remembered import memo


def run_block(kernel: Kernel, place: Place, assemblies: Sequence[Assembly], groups: Any, pieces: Any, statistics: Any) -> Any:
    """Gather the inputs of one block and run the kernel on it.

    `groups` and `statistics` run in parallel: the statistic of each group the block needs.
    """
    blocks = gather_blocks(assemblies, pieces)
    restriction = blocks.pop("mask:engine", None)
    shared = dict(zip(groups, statistics, strict=True)) if groups is not None else None
    return kernel({**kernel.extras, **blocks}, place, shared, restriction)


def run_noted(
    kernel: Kernel, place: Place, assemblies: Sequence[Assembly], groups: Any, pieces: Any, statistics: Any, note: Any
) -> Any:
    """Run a block and note its single values under `note`, so that asking for them later computes no block again."""
    outputs = run_block(kernel, place, assemblies, groups, pieces, statistics)
    memo.put(note, tuple(v if p is None else None for p, v in zip(kernel.plans, outputs, strict=True)))
    return outputs


def run_single(kernel: Kernel, place: Place, assemblies: Sequence[Assembly], groups: Any, pieces: Any, statistics: Any) -> Any:
    """Run a block of a technique with one array output and return that array."""
    return run_block(kernel, place, assemblies, groups, pieces, statistics)[0]
