"""imaging-server-kit, the peer of the round trip: ``python peer_process.py PORT`` serves; `client` returns a call for its client.

Runs in the peer's own environment. Nothing of it is part of the package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def load() -> Any:
    """Import the peer without its remote sample: it would be downloaded at import."""
    import skimage.data

    skimage.data.brain = lambda: np.zeros((2, 8, 8), np.uint16)
    import imaging_server_kit

    return imaging_server_kit


def main() -> None:
    """Serve one algorithm that inverts a volume."""
    kit = load()

    @kit.algorithm(name="invert", parameters={"image": kit.Image(dimensionality=[2, 3])})
    def invert(image: Any) -> Any:
        return kit.Image(np.invert(image), name="inverted")

    kit.serve(invert, host="127.0.0.1", port=int(sys.argv[1]))


def client(url: str) -> Callable[[Any], Any]:
    """Return a function that sends a volume and takes the inverted one back."""
    kit = load()
    there = kit.Client(url)

    def call(volume: Any) -> Any:
        return there.run(algorithm="invert", image=volume)[0].data

    return call


if __name__ == "__main__":
    main()
