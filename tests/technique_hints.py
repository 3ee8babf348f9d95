"""What the shared suite has to know about single techniques beyond their contracts."""

from __future__ import annotations

from napari_lightbox.testing.technique_suite import Hint

HINTS: dict[str, Hint] = {
    "color_space_conversion": Hint(colour=True),
    "gaussian_blur": Hint(variants=({"sigma": 2.0, "unit": "physical"}, {"kernel_size": 5, "sigma": 0.0, "border": "nearest"})),
    "rgb_to_gray": Hint(colour=True),
}
