"""Richardson-Lucy deconvolution: scikit-image, ITK, flux, positivity, planted blur."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, restoration

from napari_lightbox.errors import InputError
from napari_lightbox.kernels.point_spread import gaussian_psf
from napari_lightbox.techniques.restore.richardson_lucy import richardson_lucy

CAMERA = data.camera()[::4, ::4] / 255.0


def random_psf(size):
    psf = np.random.default_rng(0).random(size) + 0.1
    return psf / psf.sum()


def psnr(image, truth):
    return 10 * np.log10(1 / np.mean((image - truth) ** 2))


@pytest.mark.parametrize("size", [(5, 5), (4, 7), (13, 11), (14, 14)])
@pytest.mark.parametrize(("iterations", "epsilon", "clip"), [(20, None, True), (50, None, False), (5, 0.2, True)])
def test_planes_equal_scikit_image(size, iterations, epsilon, clip):
    psf = random_psf(size)
    expected = restoration.richardson_lucy(CAMERA, psf, iterations, clip=clip, filter_epsilon=epsilon)
    found = richardson_lucy(CAMERA, psf, model="given", iterations=iterations, filter_epsilon=epsilon, clip=clip)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("size", [(3, 4, 5), (1, 5, 5)])
def test_volumes_equal_scikit_image(size):
    volume, psf = np.random.default_rng(1).random((10, 20, 22)), random_psf(size)
    expected = restoration.richardson_lucy(volume, psf, 20, clip=False)
    np.testing.assert_allclose(richardson_lucy(volume, psf, model="given"), expected, atol=1e-9)


def test_single_precision_stays_close_to_double():
    psf = random_psf((5, 5))
    found = richardson_lucy(CAMERA.astype(np.float32), psf, model="given")
    assert found.dtype == np.float32
    # 20 multiplications of float32 sums: about 20 * 25 * 6e-8
    np.testing.assert_allclose(found, richardson_lucy(CAMERA, psf, model="given"), atol=3e-5)


@pytest.mark.parametrize(("boundary", "rim"), [("zero", 0), ("periodic", 32), ("nearest", 32)])
def test_equal_to_itk_that_starts_from_the_image(boundary, rim):
    sitk = pytest.importorskip("SimpleITK")
    psf = gaussian_psf((1.5, 1.5))
    rules = sitk.RichardsonLucyDeconvolutionImageFilter
    rule = {"zero": rules.ZERO_PAD, "periodic": rules.PERIODIC_PAD, "nearest": rules.ZERO_FLUX_NEUMANN_PAD}[boundary]
    itk = sitk.RichardsonLucyDeconvolution(sitk.GetImageFromArray(CAMERA), sitk.GetImageFromArray(psf), 10, True, rule)
    found = richardson_lucy(CAMERA, psf, model="given", iterations=10, boundary=boundary, initial="image")
    # ITK extends by the PSF's size and then by zeros to a length its transform likes: its rims differ
    inner = slice(rim, -rim or None)
    np.testing.assert_allclose(found[inner, inner], sitk.GetArrayFromImage(itk)[inner, inner], atol=1e-8)


@pytest.mark.parametrize("boundary", ["periodic", "nearest"])
def test_noise_free_blur_gets_better_for_50_iterations(boundary):
    truth = CAMERA + 0.01
    blurred = ndimage.gaussian_filter(truth, 1.5, mode="wrap" if boundary == "periodic" else "nearest", truncate=4.0)
    counts = (1, 2, 5, 10, 20, 35, 50)
    values = [psnr(richardson_lucy(blurred, width=1.5, iterations=n, boundary=boundary), truth) for n in counts]
    assert values == sorted(values)
    assert values[-1] > psnr(blurred, truth) + 1.5


def test_noise_is_amplified_by_more_iterations():
    rng = np.random.default_rng(0)
    psf = np.ones((5, 5)) / 25
    noisy = ndimage.convolve(CAMERA, psf) + (rng.poisson(25, CAMERA.shape) - 10) / 255
    values = [psnr(richardson_lucy(noisy.clip(0), psf, model="given", iterations=n, clip=True), CAMERA) for n in (5, 20, 50)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("shape", [(40, 50), (10, 16, 18)])
def test_total_and_sign_are_kept_on_a_periodic_image(shape):
    truth = np.random.default_rng(2).random(shape) * 1000
    found = richardson_lucy(truth, width=1.0, boundary="periodic")
    assert found.sum() == pytest.approx(truth.sum(), rel=1e-9)
    assert found.min() >= 0


def test_integers_keep_their_scale():
    image = data.camera()[:60, :70]
    image.flags.writeable = False
    found = richardson_lucy(image, width=0.8, boundary="nearest")
    assert found.dtype == np.float32
    assert found.mean() == pytest.approx(image.mean(), rel=1e-3)
    np.testing.assert_allclose(found / 255, richardson_lucy(image / 255, width=0.8, boundary="nearest"), atol=1e-3)


def test_negative_and_missing_values_are_refused():
    for bad in (-1.0, np.nan, np.inf):
        image = np.ones((8, 8))
        image[3, 3] = bad
        with pytest.raises(InputError, match="cannot be counts"):
            richardson_lucy(image)
