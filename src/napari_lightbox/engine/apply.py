"""`lb.apply`: run one technique; array in, array out; lazy in, lazy out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Collection, GlobalThenPointwise, MergeLabels, Technique, registry
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.engine.alike import key_of, remember, run_alike
from napari_lightbox.engine.bind import Bound, bind
from napari_lightbox.engine.blocking import Granularity
from napari_lightbox.engine.eager import run_eager
from napari_lightbox.engine.forecast import check_forecast
from napari_lightbox.engine.inputs import Source, is_lazy
from napari_lightbox.engine.kernel import Kernel
from napari_lightbox.engine.provenance import carried, with_provenance
from napari_lightbox.engine.results import presented


def apply(
    id: str | Technique,  # noqa: A002
    *inputs: Any,
    axes: str | None = None,
    spacing: Any = None,
    mask: Any = None,
    over: str | None = None,
    compute: bool = False,
    **parameters: Any,
) -> Any:
    """Run a technique.

    Parameters
    ----------
    id
        Technique id, such as ``"median_filter"``.
    *inputs
        Inputs in declared order: arrays or Volumes; None for an optional one.
    axes
        Axis letters of bare arrays, such as ``"tzyx"``; guessed when not given.
    spacing
        Distance between samples of bare arrays: one number, one per spatial axis, one per axis, or a mapping.
    mask
        Labels or bool array; only where it is not zero does the result differ from the image.
    over
        Axes the technique works over, such as ``"yx"`` for plane by plane; the spatial axes when not given.
    compute
        Compute lazy results before returning.
    **parameters
        Parameters of the technique.

    Returns
    -------
    result
        NumPy in, NumPy out; dask in, dask out; Volume in, Volume out. Several outputs come as a named tuple.

    Raises
    ------
    LightboxError
        An input or a parameter does not fit; the message says what to do.
    """
    technique = id if isinstance(id, Technique) else registry.get(id)
    key = key_of(technique, inputs, axes, over, parameters) if spacing is None and mask is None else None
    alike = None if key is None else run_alike(key, inputs)
    if alike is not None:
        return _shaped(technique, alike)
    bound = bind(technique, inputs, parameters, axes=axes, spacing=spacing, mask=mask, over=over)
    outputs = run(bound)
    if key is not None:
        remember(key, bound)
    if compute:
        import dask

        # as the caller has set dask up, progress bars included
        outputs = computed(outputs, dask.compute)
    return _shaped(technique, outputs)


def run(bound: Bound, granularity: Granularity = "view") -> tuple[Any, ...]:
    """Return the outputs of a bound technique, lazy when any input is."""
    check_forecast(bound)
    kernel, raw = lowered(bound, granularity) if is_lazy(_sources(bound)) else run_eager(bound)
    outputs = presented(kernel, bound, raw)
    return with_provenance(bound, outputs) if bound.first.volume is not None else outputs


def lowered(bound: Bound, granularity: Granularity) -> tuple[Kernel, tuple[Any, ...]]:
    """Return the kernel and the lazy outputs in canonical axis order."""
    from napari_lightbox.engine.lower_collection import lower_collection
    from napari_lightbox.engine.lower_labels import lower_labels
    from napari_lightbox.engine.lower_region import lower_region
    from napari_lightbox.engine.lower_sequence import lower_sequence
    from napari_lightbox.engine.lower_tables import lower_tables

    locality = bound.technique.locality
    if isinstance(locality, Collection):
        return lower_collection(bound)
    if isinstance(locality, GlobalThenPointwise) and not any(spec.is_array for spec in bound.technique.outputs):
        return lower_tables(bound)
    if isinstance(locality, SequenceLocality):
        bundle = lower_sequence(bound)
    elif isinstance(locality, MergeLabels):
        bundle = lower_labels(bound)
    else:
        bundle = lower_region(bound, granularity)
    return bundle.kernel, tuple(bundle.output(i) for i in range(len(bound.technique.outputs)))


def _sources(bound: Bound) -> list[Source | None]:
    return [*bound.arrays, bound.mask, *bound.references.values()]


def _shaped(technique: Technique, outputs: tuple[Any, ...]) -> Any:
    if len(outputs) == 1:
        return outputs[0]
    result = technique.signature.result
    return result(*outputs) if result is not None else outputs


def computed(outputs: tuple[Any, ...], compute: Callable[..., Sequence[Any]]) -> tuple[Any, ...]:
    """Return the outputs with all lazy parts computed together, Volumes included."""
    values = compute(*[o.data if isinstance(o, Volume) else o for o in outputs])
    return tuple(o.with_data(v) if isinstance(o, Volume) else carried(o, v) for o, v in zip(outputs, values, strict=True))
