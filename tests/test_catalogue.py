"""The techniques the product promises are there, everywhere."""

from __future__ import annotations

import json

from napari_lightbox.cli.app import main
from napari_lightbox.widgets.manifest import build

PROMISED = [
    "gaussian_blur",
    "median_filter",
    "mean_filter",
    "bilateral_filter",
    "non_local_means",
    "perona_malik",
    "tv_chambolle",
    "rescale_intensity",
    "histogram_equalization",
    "clahe",
    "histogram_matching",
    "invert_intensity",
    "gray_level_slicing",
    "sigmoid_intensity",
    "unsharp_mask",
    "sobel_edges",
    "gradient_magnitude",
    "laplacian_of_gaussian",
    "difference_of_gaussians",
    "canny_edges",
    "threshold_otsu",
    "threshold_li",
    "threshold_manual",
    "threshold_band",
    "threshold_hounsfield",
    "threshold_local",
    "threshold_sauvola",
    "morphological_erosion",
    "morphological_dilation",
    "morphological_opening",
    "morphological_closing",
    "morphological_gradient",
    "distance_transform",
    "binary_fill_holes",
    "wiener_deconvolution",
    "richardson_lucy",
    "inpaint_telea",
    "inpaint_biharmonic",
    "connected_components",
    "region_properties",
    "find_contours",
    "segmentation_overlap",
    "psnr",
    "kmeans_segmentation",
    "slic_superpixels",
    "split_touching_objects",
    "marker_controlled_watershed",
    "random_walker",
    "region_growing",
    "mask_cutout",
    "background_subtraction_mog2",
    "long_exposure",
    "intensity_based_registration",
    "resample_to_reference",
    "panorama_stitcher",
    "rgb_to_gray",
    "color_space_conversion",
    "flip",
    "rotate",
    "rescale",
    "crop",
    "grabcut",
    "graph_cut_voxel",
    "pixel_classifier",
    "unet_segmentation",
]


def test_the_command_line_lists_them(capsys) -> None:
    assert main(["list", "--json"]) == 0
    listed = {entry["id"] for entry in json.loads(capsys.readouterr().out)}
    assert listed >= set(PROMISED)


def test_each_has_a_widget_and_a_menu_entry() -> None:
    contributions = build()["contributions"]
    widgets = {w["command"].rpartition(".")[2] for w in contributions["widgets"]}
    assert widgets >= set(PROMISED)
    in_menus = {item.get("command", "").rpartition(".")[2] for items in contributions["menus"].values() for item in items}
    assert in_menus >= set(PROMISED)
    names = [w["display_name"] for w in contributions["widgets"]]
    assert len(names) == len(set(names))


def test_all_localities_are_in_use() -> None:
    from napari_lightbox.contract import registry

    used = {t.locality_name for t in registry.find()}
    assert used == {
        "pointwise", "halo", "plane", "volume", "global_then_pointwise", "merge_labels", "sequence", "whole", "collection"
    }  # fmt: skip
