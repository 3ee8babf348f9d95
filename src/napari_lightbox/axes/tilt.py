"""Show a tilted grid straight: the place that suits planes of voxels, and the way from there to the world.

Windows that cut a volume across world axes can neither show nor paint the planes of a scan that is oblique to them, or was
taken from the side. The whole neighbourhood of such a scan is turned about the world's origin instead: all that lies on
grids of the same directions keeps its place relative to it.
"""

from __future__ import annotations

import numpy as np

from napari_lightbox.axes.affine import Matrix, directions_of, spacing_of

_ALMOST = 1e-9
_MOSTLY = 0.5


def straightened(matrix: Matrix) -> tuple[Matrix, Matrix | None]:
    """Return a matrix whose planes of voxels are planes of the world, and the tilt that takes it back.

    Parameters
    ----------
    matrix
        Homogeneous matrix from indices to the world.

    Returns
    -------
    shown
        Each axis along its own world axis, backwards where it mostly runs backwards. Spacing stays.
    tilt
        Homogeneous matrix with ``tilt @ shown == matrix``, a linear map about the world's origin; None where nothing had to be
        changed. A turn within the last two axes stays as it is: it leaves the planes whole.
    """
    directions = directions_of(matrix)
    across = np.abs(directions - np.diag(directions.diagonal()))
    across[-2:, -2:] = 0
    if across.max() <= _ALMOST:
        return matrix, None
    own = directions.diagonal()
    signs = np.where(own < -_MOSTLY, -1.0, 1.0)
    tilt = np.eye(len(matrix))
    tilt[:-1, :-1] = directions * signs
    shown = np.linalg.inv(tilt) @ matrix
    shown[:-1, :-1] = np.diag(signs * spacing_of(matrix))  # without a rounding error napari takes it for straight
    return shown, tilt
