"""Keep the libraries of a worker to its share of the processors."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from napari_lightbox.kernels import slabs

# pools that all tasks of a process share
_SHARED = ("OPENCV_FOR_THREADS_NUM", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "NUMBA_NUM_THREADS")
# pools that each task makes for itself
_OWN = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_LOADED: dict[str, Callable[[Any, int], Any]] = {
    "cv2": lambda cv2, share: cv2.setNumThreads(share),
    "SimpleITK": lambda itk, share: itk.ProcessObject.SetGlobalDefaultNumberOfThreads(share),
    "torch": lambda torch, _: torch.set_num_threads(1),
}


def limit_threads(share: int) -> None:
    """Let as many threads compute as the worker runs tasks, in libraries that are loaded and in those that come later."""
    for names, count in ((_SHARED, share), (_OWN, 1)):
        os.environ.update(dict.fromkeys(names, str(count)))
    slabs.limit_threads(share)
    for name, limit in _LOADED.items():
        if name in sys.modules:
            limit(sys.modules[name], share)
    # NumPy has its linear algebra loaded already
    importlib.import_module("threadpoolctl").threadpool_limits(1, user_api="blas")
