"""What a technique promises."""

from napari_lightbox.contract.docs import Documentation
from napari_lightbox.contract.dtypes import check_dtype, floating, label_dtype, output_dtype
from napari_lightbox.contract.grid import Grid
from napari_lightbox.contract.lengths import in_samples, per_axis
from napari_lightbox.contract.locality import (
    Collection,
    Extent,
    GlobalThenPointwise,
    Halo,
    Locality,
    MergeLabels,
    Pass,
    Plane,
    Pointwise,
    Sequence,
    Volume,
    Whole,
)
from napari_lightbox.contract.markers import Advanced, Channels, Dtype, ExtraAxis, Odd, OnlyIf, PerAxis, Range, Unit, VisibleIf
from napari_lightbox.contract.parameters import Parameter
from napari_lightbox.contract.recipe import Recipe, RecipeInput, Step
from napari_lightbox.contract.registry import Registry, registry
from napari_lightbox.contract.schema import describe
from napari_lightbox.contract.technique import Technique, technique
from napari_lightbox.contract.where import Block, IsLabels, Spacing, State, Statistic, Where

__all__ = [
    "Advanced",
    "Block",
    "Channels",
    "Collection",
    "Documentation",
    "Dtype",
    "Extent",
    "ExtraAxis",
    "GlobalThenPointwise",
    "Grid",
    "Halo",
    "IsLabels",
    "Locality",
    "MergeLabels",
    "Odd",
    "OnlyIf",
    "Parameter",
    "Pass",
    "PerAxis",
    "Plane",
    "Pointwise",
    "Range",
    "Recipe",
    "RecipeInput",
    "Registry",
    "Sequence",
    "Spacing",
    "State",
    "Statistic",
    "Step",
    "Technique",
    "Unit",
    "VisibleIf",
    "Volume",
    "Where",
    "Whole",
    "check_dtype",
    "describe",
    "floating",
    "in_samples",
    "label_dtype",
    "output_dtype",
    "per_axis",
    "registry",
    "technique",
]
