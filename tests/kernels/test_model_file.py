"""Model files: nothing is lost, nothing is executed, nothing damaged is believed."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_lightbox.contract.values import TrainedModel
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.kernels import model_file
from napari_lightbox.kernels.classifier_training import KINDS
from napari_lightbox.kernels.model_file import read_model, write_model
from napari_lightbox.kernels.pixel_model import load_pixel_model
from napari_lightbox.kernels.pixel_training import train_pixel_classifier

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(40, 40))
IMAGE[:, 20:] += 3
SEEDS = np.zeros(IMAGE.shape, np.int32)
SEEDS[5:30, 4], SEEDS[5:30, 33] = 3, 7


def trained(kind: str) -> Any:
    return train_pixel_classifier([IMAGE], [SEEDS], kind=kind, sigmas=(1.0,), trees=5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_back_the_same_model(kind: str, tmp_path) -> None:
    model = trained(kind)
    again = load_pixel_model(model.save(tmp_path / "m.safetensors"))
    assert (again.kind, again.features, again.classes, again.samples.limit) == (kind, model.features, (3, 7), 500)
    for name, array in model.to_value().arrays.items():
        kept = again.to_value().arrays[name]
        assert kept.dtype == array.dtype
        np.testing.assert_array_equal(kept, array)
    rows = RNG.normal(size=(50, model.samples.rows.shape[1]))
    np.testing.assert_array_equal(again.scorer.chances(rows, 2), model.scorer.chances(rows, 2))


def test_other_programs_read_it(tmp_path) -> None:
    numpy_reader = pytest.importorskip("safetensors.numpy")
    model = trained("random forest")
    found = numpy_reader.load_file(model.save(tmp_path / "m.safetensors"))
    np.testing.assert_array_equal(found["model.threshold"], model.scorer.arrays["threshold"])


def test_no_part_and_no_changed_byte_is_believed(tmp_path) -> None:
    path = tmp_path / "m.safetensors"
    data = trained("decision tree").save(path).read_bytes()
    for length in [*range(40), *range(40, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(ReadError, match="train the model again"):
            load_pixel_model(path)
    header = 8 + int.from_bytes(data[:8], "little")
    for place in [*range(0, header, 7), *range(header, len(data), 397)]:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        try:
            again = load_pixel_model(path)
        except ReadError:
            continue
        # a changed space of the header's padding, say, does no harm
        np.testing.assert_array_equal(again.samples.rows, trained("decision tree").samples.rows)


class _Evil:
    def __reduce__(self) -> Any:
        return print, ("executed",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        pickle.dumps(_Evil()),
        (2**63).to_bytes(8, "little") + b"{}",
        (4).to_bytes(8, "little") + b"null",
        (2).to_bytes(8, "little") + b"{}",
        (60000).to_bytes(8, "little") + b"[" * 60000,
        b"\x93NUMPY" + bytes(200),
    ],
)
def test_files_of_another_kind_are_refused(data: bytes, tmp_path, capsys) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(ReadError, match="no intact model file"):
        load_pixel_model(path)
    assert "executed" not in capsys.readouterr().out


def changed(arrays: dict[str, Any] | None = None, **card: Any) -> TrainedModel:
    value = trained("random forest").to_value()
    return replace(value, card={**value.card, **card}, arrays={**value.arrays, **(arrays or {})})


def _ring(value: TrainedModel) -> dict[str, Any]:
    left = value.arrays["model.left"].copy()
    inner = np.flatnonzero(left)
    left[inner[-1]] = inner[-1]
    return {"model.left": left}


def _with(name: str, place: int, number: float) -> dict[str, Any]:
    array = trained("random forest").to_value().arrays[name].copy()
    array.reshape(-1)[place] = number
    return {name: array}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: changed(_ring(changed())), "a tree that does not end"),
        (lambda: changed(_with("model.left", 0, 10**6)), "a tree that leads nowhere"),
        (lambda: changed(_with("model.split", 0, 99)), "a feature that does not exist"),
        (lambda: changed(_with("model.split", 0, -1)), "a feature that does not exist"),
        (lambda: changed(_with("model.roots", 0, 10**6)), "a root that does not exist"),
        (lambda: changed(_with("model.values", 0, np.nan)), "values that are no numbers"),
        (lambda: changed({"model.threshold": np.zeros(3, np.float32)}), "nodes of unequal length"),
        (lambda: changed({"model.threshold": np.zeros(3)}), "of another type"),
        (lambda: changed({"samples.ids": np.zeros(3, np.int64)}), "samples of unequal length"),
        (lambda: changed(classes=[7, 3]), "not ascending"),
        (lambda: changed(classes=[3]), "not ascending"),
        (lambda: changed(classes=[3, 2**40]), "out of range"),
        (lambda: changed(classes=[3, 5, 7]), "another number of classes"),
        (lambda: changed(kind="oracle"), "an unknown kind"),
        (lambda: changed(features={"groups": ["gaussian"]}), "intact"),
        (lambda: changed(task="unet"), "a model for unet"),
        (lambda: changed(version=2), "Update napari-lightbox"),
    ],
)
def test_intact_files_with_wrong_contents_are_refused(make: Any, reason: str, tmp_path) -> None:
    path = write_model(tmp_path / "m.safetensors", make())
    with pytest.raises(ReadError, match=reason):
        load_pixel_model(path)


def test_sizes_that_do_not_fit_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(model_file, "_checksum", lambda *_: "of somebody who knows how to make it")
    data = model_file._encoded(changed())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    for entry in (
        {"shape": [2**40]},
        {"shape": [-1, -4]},
        {"data_offsets": [0, 10**9]},
        {"data_offsets": [-8, 0]},
        {"dtype": "O"},
    ):
        text = json.dumps({**header, "model.roots": {**header["model.roots"], **entry}}).encode()
        path = tmp_path / "m.safetensors"
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
        with pytest.raises(ReadError, match="no intact model file"):
            read_model(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path) -> None:
    model = trained("naive Bayes")
    with pytest.raises(WriteError, match="another folder"):
        model.save(tmp_path / "nowhere" / "m.safetensors")
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    with pytest.raises(WriteError):
        model.save(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.safetensors"]
