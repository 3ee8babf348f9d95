"""What the shared suite has to know about single techniques beyond their contracts."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.tiny_models import image_and_model

from napari_lightbox.testing.examples import blobs, seeds
from napari_lightbox.testing.technique_suite import Hint


def overlapping_pictures(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """Two crops of a picture with enough texture to be stitched."""
    from skimage import data

    picture = data.astronaut()[..., 1]
    return ([np.ascontiguousarray(picture[:, :320]), np.ascontiguousarray(picture[:, 190:])],)


def fixed_and_moving(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """A picture and the same shifted by one pixel."""
    fixed = blobs(rng, shape, dtype)
    return fixed, np.roll(fixed, 1, axis=-1)


def scribbled(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """Blobs with scribbles on the darkest and the brightest pixels."""
    first = blobs(rng, shape, dtype)
    return first, seeds(first)


BALL = ({"shape": "ball", "radius": 2},)

HINTS: dict[str, Hint] = {
    "clahe": Hint(variants=({"kernel_size": 5, "clip_limit": 0.03},)),
    "connected_components": Hint(variants=({"connectivity": 2}, {"background": 1})),
    "distance_transform": Hint(variants=({"signed": True}, {"per_label": True}, {"nearest": True})),
    "morphological_closing": Hint(variants=BALL),
    "morphological_dilation": Hint(variants=BALL),
    "morphological_erosion": Hint(variants=BALL),
    "morphological_gradient": Hint(variants=BALL),
    "morphological_opening": Hint(variants=BALL),
    "pixel_classifier": Hint(
        parameters={"sigmas": (0.7, 1.0), "trees": 5},
        maker=scribbled,
        variants=(
            {
                "full_prob": True,
                "structure": True,
                "difference": True,
                "laplacian": True,
                "keep_seeds": False,
                "unit": "physical",
            },
            {"classifier": "gradient boosting", "full_prob": True, "keep_model": True},
            {"classifier": "decision tree", "samples": 10, "compare": True},
            {"classifier": "naive Bayes", "full_prob": True, "intensity": False},
            {"classifier": "nearest neighbours", "scope": "element"},
        ),
    ),
    "region_properties": Hint(variants=({"boxes": True, "perimeter": True, "feret": True},)),
    "color_space_conversion": Hint(colour=True),
    "gaussian_blur": Hint(variants=({"sigma": 2.0, "unit": "physical"}, {"kernel_size": 5, "sigma": 0.0, "border": "nearest"})),
    "gray_level_slicing": Hint(
        variants=({"background": "keep", "lower": 0.2, "upper": 100.0, "highlight": 0.0},), parameters={"highlight": 1.0}
    ),
    "grabcut": Hint(
        maker=scribbled,
        parameters={"iterations": 2},
        variants=(
            {"four_classes": True, "cut_out": True, "return_models": True, "background_id": 1},
            {"seeds_are": "classes", "lower": 100.0, "upper": 900.0, "reach": None, "seed": 3},
        ),
    ),
    "graph_cut_voxel": Hint(
        variants=(
            {"boundary_term": "maximum_division", "sigma": 3.0},
            {"boundary_term": "difference_linear", "object_id": 2},
            {"boundary_term": "maximum_exponential", "gradient": False, "object_id": 1, "background_id": 2},
        )
    ),
    "histogram_equalization": Hint(variants=({"bins": 32, "scope": "layer"},)),
    "histogram_matching": Hint(
        variants=({"method": "quantiles"}, {"method": "quantiles", "threshold_at_mean": False, "scope": "plane"})
    ),
    "intensity_based_registration": Hint(maker=fixed_and_moving),
    "invert_intensity": Hint(variants=({"signed_float": True},)),
    "median_filter": Hint(variants=({"size": 5}, {"radius": 2})),
    "non_local_means": Hint(parameters={"patch_size": 3, "patch_distance": 3}),
    "panorama_stitcher": Hint(maker=overlapping_pictures, types=("uint8",)),
    "perona_malik": Hint(parameters={"iterations": 3}),
    "rescale_intensity": Hint(
        variants=({"method": "maximum", "scope": "layer"}, {"output": "same", "output_maximum": 100.0}, {"scope": "plane"})
    ),
    "rgb_to_gray": Hint(colour=True),
    "sigmoid_intensity": Hint(
        variants=({"function": "logistic"}, {"function": "relu"}, {"output": "same", "alpha": -3.0, "output_maximum": 255.0})
    ),
    "threshold_band": Hint(variants=({"lower": 10.5, "upper": 99.5, "inside": 7, "outside": 3},)),
    "threshold_hounsfield": Hint(
        variants=({"level": -300.0, "slope": 2.0, "intercept": -1024.0}, {"slope": 0.5, "intercept": -1000.0})
    ),
    "threshold_li": Hint(variants=({"invert": True, "ignore_zeros": True}, {"scope": "layer"})),
    "threshold_local": Hint(
        parameters={"block_size": 5},
        variants=({"method": "mean", "invert": True, "offset": 2.0}, {"method": "median"}, {"sigma": 1.5, "border": "mirror"}),
    ),
    "threshold_manual": Hint(
        variants=(
            {"invert": True, "threshold": 100.0},
            {"threshold": 225.0, "minimum_size": 2},
            {"threshold": 0.2, "minimum_size": 2},
        )
    ),
    "threshold_otsu": Hint(variants=({"invert": True, "ignore_zeros": True}, {"scope": "layer"}, {"scope": "plane", "bins": 64})),
    "threshold_sauvola": Hint(parameters={"window_size": 5}, variants=({"k": -0.3, "r": 50.0, "invert": True},)),
    "unet_segmentation": Hint(
        maker=image_and_model, variants=({"full_prob": True},), types=("bool", "uint8", "int16", "float64")
    ),
    "unsharp_mask": Hint(variants=({"method": "laplacian"}, {"radius": 2.0, "amount": 2.5, "unit": "physical"})),
}
