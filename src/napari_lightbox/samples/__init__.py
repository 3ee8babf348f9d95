"""Phantoms with known truth, and real pictures that need no network."""

from napari_lightbox.samples.bodies import Phantom
from napari_lightbox.samples.brain_mri import brain_mri
from napari_lightbox.samples.catalog import SAMPLES, Sample, sample
from napari_lightbox.samples.cells import cells
from napari_lightbox.samples.moving_objects import moving_objects
from napari_lightbox.samples.pictures import picture
from napari_lightbox.samples.real_mri import real_mri, real_mri_path
from napari_lightbox.samples.thorax_ct import thorax_ct

__all__ = [
    "SAMPLES", "Phantom", "Sample", "brain_mri", "cells", "moving_objects", "picture", "real_mri", "real_mri_path", "sample",
    "thorax_ct",
]  # fmt: skip
