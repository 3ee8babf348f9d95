"""Wiener deconvolution: planted blurs with known PSF, scikit-image with a constant penalty, the inverse filter."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import data, restoration

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.point_spread import disk_psf, gaussian_psf, motion_psf
from napari_lightbox.techniques.restore.wiener_deconvolution import _tapered, wiener_deconvolution

CAMERA = data.camera() / 255.0


def psnr(image, truth=CAMERA):
    return 10 * np.log10(1 / np.mean((image - truth) ** 2))


def periodic_blur(image, psf):
    return ndimage.convolve(image, psf, mode="wrap")


def test_motion_blur_of_22_pixels_is_undone():
    psf = motion_psf(22, 135.0, 63)
    truth = _tapered(CAMERA, [31, 31])
    blurred = cv2.filter2D(truth, -1, psf)  # a correlation
    found = wiener_deconvolution(blurred, snr_db=25, support=63, taper=31, convention="correlation")
    assert psnr(blurred, truth) == pytest.approx(22.76, abs=0.1)
    # the value of a plain implementation of OpenCV's sample with the PSF centred correctly is 25.92 dB
    assert psnr(found, truth) > 25.8


@pytest.mark.parametrize(("ratio", "expected"), [(1e-4, 15.9), (1e-3, 24.7), (1e-2, 27.6), (1e-1, 23.0)])
def test_damping_trades_grain_against_blur(ratio, expected):
    psf = gaussian_psf((2.0, 2.0))[3:-3, 3:-3]
    noisy = periodic_blur(CAMERA, psf / psf.sum()) + np.random.default_rng(0).normal(0, 0.01, CAMERA.shape)
    assert psnr(noisy) == pytest.approx(25.45, abs=0.05)
    found = wiener_deconvolution(noisy, psf, model="given", noise_to_signal=ratio, taper=0)
    # at the smallest ratio amplified noise dominates and its level depends on the draw
    assert psnr(found) == pytest.approx(expected, abs=1.0 if ratio < 1e-3 else 0.1)


def test_decibels_are_the_ratio():
    image = CAMERA[:64, :64]
    by_decibels = wiener_deconvolution(image, model="gaussian", snr_db=20)
    np.testing.assert_array_equal(by_decibels, wiener_deconvolution(image, model="gaussian", noise_to_signal=0.01))


@pytest.mark.parametrize("size", [(7, 7), (5, 8), (6, 6)])
def test_equal_to_scikit_image_with_a_constant_penalty(size):
    psf = np.random.default_rng(1).random(size)
    psf /= psf.sum()
    delta = np.zeros((3, 3))
    delta[1, 1] = 1
    image = CAMERA[100:180, 100:191]
    expected = restoration.wiener(image, psf, 0.05, reg=delta, clip=False)
    found = wiener_deconvolution(image, psf, model="given", noise_to_signal=0.05, taper=0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 50), (12, 20, 22)])
def test_without_noise_the_inverse_filter_recovers_the_image(shape):
    truth = np.random.default_rng(2).random(shape)
    psf = gaussian_psf((0.6,) * truth.ndim)
    found = wiener_deconvolution(periodic_blur(truth, psf), psf, model="given", noise_to_signal=0, taper=0)
    np.testing.assert_allclose(found, truth, atol=1e-9)
    by_model = wiener_deconvolution(periodic_blur(truth, psf), model="gaussian", width=0.6, noise_to_signal=0, taper=0)
    np.testing.assert_allclose(by_model, found, atol=1e-9)


@pytest.mark.parametrize("size", [(3, 5), (4, 4)])
def test_conventions_differ_for_a_lopsided_psf(size):
    psf = np.zeros(size)
    psf[1, 1], psf[1, 2] = 0.7, 0.3
    truth = CAMERA[::4, ::4]
    convolved = ndimage.convolve(truth, psf, mode="wrap")
    correlated = ndimage.correlate(truth, psf, mode="wrap")
    options = {"model": "given", "noise_to_signal": 1e-9, "taper": 0}
    for blurred, right, wrong in ((convolved, "convolution", "correlation"), (correlated, "correlation", "convolution")):
        assert psnr(wiener_deconvolution(blurred, psf, convention=right, **options), truth) > 80
        assert psnr(wiener_deconvolution(blurred, psf, convention=wrong, **options), truth) < 35


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int32"])
def test_grey_values_keep_their_scale(dtype):
    image = data.camera()[:64, :80].astype(dtype)
    image.flags.writeable = False
    found = wiener_deconvolution(image, model="gaussian", width=0.5, taper=0, noise_to_signal=1e-6)
    assert found.dtype == ("float64" if dtype == "int32" else "float32")
    assert abs(found.mean() - image.mean()) < 0.01


def test_a_plane_psf_leaves_slices_apart():
    volume = np.random.default_rng(3).random((4, 50, 60))
    found = wiener_deconvolution(volume, model="motion", length=9)
    np.testing.assert_allclose(found, [wiener_deconvolution(p, model="motion", length=9) for p in volume], atol=1e-12)


def test_described_psfs_have_the_right_mass_and_width():
    disk = disk_psf((4.0, 4.0))
    assert disk.max() == pytest.approx(1 / (np.pi * 16), rel=0.01)
    assert disk_psf((3.0, 3.0, 3.0)).max() == pytest.approx(3 / (4 * np.pi * 27), rel=0.02)
    motion = motion_psf(21, 30.0)
    y, x = np.indices(motion.shape) - motion.shape[0] // 2
    assert np.rad2deg(np.arctan2((motion * x * y).sum(), (motion * x * x).sum())) == pytest.approx(30, abs=1)
    assert (motion * (x**2 + y**2)).sum() == pytest.approx((21**2 - 1) / 12, rel=0.03)
    for psf in (disk, motion, gaussian_psf((1.0, 2.0, 3.0))):
        assert psf.sum() == pytest.approx(1)
        assert psf.min() >= 0


def test_refusals():
    with pytest.raises(ParameterError, match="without a PSF"):
        wiener_deconvolution(CAMERA, model="given")
    with pytest.raises(ParameterError, match="beside a PSF"):
        wiener_deconvolution(CAMERA, np.ones((3, 3)), model="motion")
    with pytest.raises(InputError, match="positive"):
        wiener_deconvolution(CAMERA, np.zeros((3, 3)), model="given")
    with pytest.raises(InputError, match="3 axes"):
        wiener_deconvolution(CAMERA, np.ones((3, 3, 3)), model="given")
    with pytest.raises(InputError, match="NaN"):
        wiener_deconvolution(np.full((9, 9), np.nan))
