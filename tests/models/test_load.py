"""Loading weights: checked, never executed, or a message that says what to do."""

from __future__ import annotations

import builtins
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny_models import random_network, save_tiny

from napari_lightbox.download import sha256_of
from napari_lightbox.errors import LightboxError, MissingDependencyError, ParameterError, ReadError
from napari_lightbox.models.cache import WEIGHTS
from napari_lightbox.models.card import FILE_NAME
from napari_lightbox.models.device import choose_device, need_torch
from napari_lightbox.models.load import load_predictor
from napari_lightbox.models.nets.unet_plan import UNetPlan
from napari_lightbox.settings import override

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")
from safetensors.torch import load_file, save_file  # noqa: E402


def reseal(folder: Path, **changes: Any) -> None:
    """Write the present checksum and size into the card, as somebody who wants to get in would."""
    data = json.loads((folder / FILE_NAME).read_text())
    weights = folder / WEIGHTS
    data["files"][0] |= {"sha256": sha256_of(weights), "size": weights.stat().st_size} | changes
    (folder / FILE_NAME).write_text(json.dumps(data))


def test_a_saved_network_gives_the_same_logits(tmp_path: Path) -> None:
    plan = UNetPlan.of(2, 1, 3, levels=2, width=4)
    network = random_network(plan)
    predictor, _ = load_predictor(save_tiny(tmp_path / "m", plan=plan))
    image = torch.randn(1, 1, 20, 24)
    with torch.no_grad():
        image = image.contiguous(memory_format=torch.channels_last)
        expected = network.to(memory_format=torch.channels_last)(image)
        np.testing.assert_array_equal(predictor.network(image).numpy(), expected.numpy())


def test_a_network_is_loaded_once(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "m")
    assert load_predictor(folder)[0] is load_predictor(folder)[0]


def test_missing_weights_say_where_they_come_from(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "m")
    (folder / WEIGHTS).unlink()
    with pytest.raises(ReadError, match=r"is missing.*from the tests"):
        load_predictor(folder)


def test_one_changed_bit_is_noticed(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "m")
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    with pytest.raises(ReadError, match="is not the file that the card"):
        load_predictor(folder)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.write_text, (self.target, "executed")


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_in_disguise_is_not_executed(tmp_path: Path, kind: str) -> None:
    folder = save_tiny(tmp_path / "m")
    bomb = {"w": Bomb(tmp_path / "boom"), "fill": "x" * 100_000}
    if kind == "pickle":
        (folder / WEIGHTS).write_bytes(pickle.dumps(bomb))
    else:
        torch.save(bomb, folder / WEIGHTS)
    reseal(folder)
    with pytest.raises(ReadError, match="safetensors"):
        load_predictor(folder)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("size", [0, 4, 8, 1000])
def test_cut_off_weights(tmp_path: Path, size: int) -> None:
    folder = save_tiny(tmp_path / "m")
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:size])
    reseal(folder)
    with pytest.raises(ReadError):
        load_predictor(folder)


def test_weights_of_another_network(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "m")
    save_file({f"w{i}": torch.zeros(100, 100) for i in range(9)}, str(folder / WEIGHTS))
    reseal(folder)
    with pytest.raises(ReadError, match="does not fit the network"):
        load_predictor(folder)


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "m")
    weights = load_file(str(folder / WEIGHTS))
    weights["head.bias"][0] = float("nan")
    save_file(weights, str(folder / WEIGHTS))
    reseal(folder)
    with pytest.raises(ReadError, match="not numbers"):
        load_predictor(folder)


def test_a_card_cannot_make_us_build_a_giant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_tiny(tmp_path / "m")
    data = json.loads((folder / FILE_NAME).read_text())
    data["architecture"]["filters"] = [2048, 2048]
    (folder / FILE_NAME).write_text(json.dumps(data))
    monkeypatch.setattr(UNetPlan, "build", lambda self: pytest.fail("the giant was built"))
    with pytest.raises(ReadError, match="too small"):
        load_predictor(folder)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"napari-lightbox\[deep\]"):
        need_torch()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:99", "cuda:x", "mps"])
def test_a_device_that_is_not_there(device: str) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("there is one")
    with override(device=device), pytest.raises(ParameterError, match="LIGHTBOX_DEVICE"):
        choose_device()


def test_automatic_takes_what_is_there() -> None:
    with override(device="auto"):
        expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        assert choose_device() == expected


def test_all_refusals_have_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(LightboxError) as caught:
        load_predictor(tmp_path)
    assert caught.value.way_out
