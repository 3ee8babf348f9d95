"""torch is loaded the way the product loads it."""

from __future__ import annotations

from contextlib import suppress

from napari_lightbox.errors import MissingDependencyError
from napari_lightbox.models.device import need_torch

with suppress(MissingDependencyError):
    need_torch()
