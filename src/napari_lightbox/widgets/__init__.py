"""The napari side: docks generated from the contracts, and the manifest that lists them."""
