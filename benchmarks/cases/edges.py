"""Edge filters beside OpenCV, scikit-image and SciPy."""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case


def _sobel_opencv(image: Any) -> Any:
    import cv2

    across = cv2.Sobel(image, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REFLECT)
    return cv2.magnitude(across, cv2.Sobel(image, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REFLECT))


def _sobel_scipy(image: Any) -> Any:
    from scipy import ndimage

    return ndimage.generic_gradient_magnitude(image.astype("float32"), ndimage.sobel)


def _gradient_itk(image: Any) -> Any:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.GradientMagnitude(sitk.GetImageFromArray(image)))


def _laplace_scipy(image: Any) -> Any:
    from scipy import ndimage

    return ndimage.gaussian_laplace(image.astype("float32"), 2.0)


def _difference_scipy(image: Any) -> Any:
    from scipy import ndimage

    exact = image.astype("float32")
    return ndimage.gaussian_filter(exact, 2.0) - ndimage.gaussian_filter(exact, 3.2)


def _difference_opencv(image: Any) -> Any:
    import cv2

    exact = image.astype("float32")
    first = cv2.GaussianBlur(exact, (17, 17), 2.0, borderType=cv2.BORDER_REFLECT)
    return cv2.subtract(first, cv2.GaussianBlur(exact, (27, 27), 3.2, borderType=cv2.BORDER_REFLECT))


def _canny_skimage(image: Any) -> Any:
    from skimage.feature import canny

    return canny(image)


CASES: list[Case] = [
    Case("sobel_edges", raw=_sobel_opencv, peer=_sobel_scipy, raw_dims=(2,)),
    Case("gradient_magnitude", raw=_gradient_itk, peer=_gradient_itk),
    Case("laplacian_of_gaussian", {"sigma": 2.0}, peer=_laplace_scipy),
    Case("difference_of_gaussians", {"sigma": 2.0}, raw=_difference_opencv, peer=_difference_scipy, raw_dims=(2,)),
    Case("canny_edges", peer=_canny_skimage, dims=(2,)),
]
