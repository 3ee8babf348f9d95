"""Cards: what is written is read; what is wrong is refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_lightbox.errors import ReadError
from napari_lightbox.models.card import ModelCard, ModelClass, ModelFile, Normalisation, read_card
from napari_lightbox.models.nets.unet_plan import UNetPlan

CARD = ModelCard(
    name="nuclei",
    task="semantic segmentation",
    architecture=UNetPlan.of(3, 2, 3, levels=3, width=8, spacing=(3.0, 1.0, 1.0)),
    classes=(ModelClass(0, "background"), ModelClass(7, "nucleus"), ModelClass(9, "µ-Kern")),
    axes="zyx",
    spacing=(3.0, 0.5, 0.5),
    units=("um", "um", "um"),
    normalisation=Normalisation((120.0, 0.1), (30.0, 1e-3)),
    files=(ModelFile("weights.safetensors", "a" * 64, 12345, "https://example.org/weights.safetensors"),),
    licence="CC-BY-4.0",
    origin="a university",
    version="2",
    history={"dice": [0.5, 0.9]},
)


def test_a_card_comes_back_as_it_was() -> None:
    assert ModelCard.from_json(CARD.to_json()) == CARD


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


HOSTILE = {
    "leads out of the folder": put("files", 0, "name", value="../../.bashrc"),
    "absolute file": put("files", 0, "name", value="/etc/passwd"),
    "windows path": put("files", 0, "name", value="..\\evil"),
    "the card itself": put("files", 0, "name", value="card.json"),
    "plain http": put("files", 0, "url", value="http://example.org/weights"),
    "local address": put("files", 0, "url", value="file:///etc/passwd"),
    "broken address": put("files", 0, "url", value="https://[x"),
    "no checksum": put("files", 0, "sha256", value=""),
    "checksum in capitals": put("files", 0, "sha256", value="A" * 64),
    "negative size": put("files", 0, "size", value=-1),
    "no files": put("files", value=[]),
    "files that are no list": put("files", value={"a": 1}),
    "endless network": put("architecture", "filters", value=[10**9, 10**9, 10**9]),
    "more levels than filters": put("architecture", "strides", value=[[2, 2, 2]] * 9),
    "stride of zero": put("architecture", "strides", 0, value=[0, 2, 2]),
    "kernel of a million": put("architecture", "kernels", 0, value=[10**6, 3, 3]),
    "fractional filters": put("architecture", "filters", 0, value=8.5),
    "another architecture": put("architecture", "name", value="os.system"),
    "classes missing": put("classes", value=[]),
    "class twice": put("classes", 1, "id", value=0),
    "negative class": put("classes", 1, "id", value=-4),
    "class too large for a label": put("classes", 1, "id", value=2**31),
    "deviation of zero": put("normalisation", "deviation", value=[0.0, 1.0]),
    "infinite mean": put("normalisation", "mean", value=[1e999, 1.0]),
    "channels of another network": put("normalisation", "mean", value=[1.0]),
    "axes of another network": put("axes", value="yx"),
    "spacing backwards": put("spacing", value=[1.0, -1.0, 1.0]),
    "text that is none": put("name", value=["x"]),
    "endless text": put("origin", value="x" * 20_000),
    "activation": put("activation", value="exec"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_hostile_cards_are_refused(change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(CARD.to_json())
    change(data)
    with pytest.raises(ReadError) as caught:
        ModelCard.from_json(json.dumps(data))
    assert caught.value.way_out


@pytest.mark.parametrize("key", ["architecture", "classes", "files", "normalisation", "axes", "activation"])
def test_a_missing_entry_is_named(key: str) -> None:
    data = json.loads(CARD.to_json())
    del data[key]
    with pytest.raises(ReadError, match=key):
        ModelCard.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", "[" * 100_000, '{"lightbox_model": 1, "name": NaN}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ReadError):
        ModelCard.from_json(text)


def test_a_newer_card_asks_for_an_update() -> None:
    data = json.loads(CARD.to_json()) | {"lightbox_model": 2}
    with pytest.raises(ReadError, match="Update napari-lightbox"):
        ModelCard.from_json(json.dumps(data))


def test_binary_and_giant_files_are_no_cards(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "giant").write_bytes(b" " * (2**20 + 1))
    for name in ("binary", "giant", "absent"):
        with pytest.raises(ReadError):
            read_card(tmp_path / name)
