"""What goes to the workers with every block is small and comes out as what it was."""

from __future__ import annotations

import copy
import pickle

import cloudpickle
import numpy as np
import pytest

from napari_lightbox.contract import Pointwise, Technique, registry, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.server.cluster.plugin import LightboxPlugin


@pytest.mark.parametrize("module", [pickle, cloudpickle])
def test_techniques_travel_by_name(module) -> None:
    for known in registry.find():
        sent = module.dumps(known)
        assert module.loads(sent) is known
        assert len(sent) < 300
    assert copy.deepcopy(known) is known


def test_what_techniques_declare_travels_by_name() -> None:
    for known in registry.find():
        # pickling the code of a function instead takes longer than many a block
        assert pickle.loads(pickle.dumps(known.outputs)) == known.outputs, known.id


def test_techniques_without_a_name_travel_as_they_are() -> None:
    @technique("local_negative", title="Negative", locality=Pointwise(), family="test")
    def local_negative(image: Image) -> Image:
        """Return the negative.

        For tests.

        Parameters
        ----------
        image
            Any image.
        """
        return -image

    again: Technique = pickle.loads(cloudpickle.dumps(local_negative.technique))
    assert again.id == "local_negative"
    np.testing.assert_array_equal(again(np.array([1.5])), [-1.5])


def test_the_plugin_travels() -> None:
    pickle.loads(pickle.dumps(LightboxPlugin({"device": "cpu"})))
