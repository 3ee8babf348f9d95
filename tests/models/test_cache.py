"""The folder of models: found by name or path, replaced whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.test_card import CARD
from tests.test_download import CONTENT, SHA, serving

from napari_lightbox.errors import ParameterError, ReadError, WriteError
from napari_lightbox.models.cache import WEIGHTS, fetch_model, find_model, free_name, list_models, models_folder, save_model
from napari_lightbox.models.card import FILE_NAME
from napari_lightbox.settings import override


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path) -> Iterator[None]:
    with override(cache_folder=tmp_path / "cache"):
        yield


def save(folder: Path, content: bytes = b"weights") -> None:
    def write(path: Path) -> None:
        path.write_bytes(content)

    save_model(folder, CARD, write)


def test_a_model_is_found_by_name_folder_and_file() -> None:
    folder = models_folder() / "nuclei"
    save(folder)
    for way in ("nuclei", folder, folder / FILE_NAME, folder / WEIGHTS, str(folder)):
        found, card = find_model(way)
        assert found == folder.resolve()
        assert card.files[0].size == len(b"weights")
    assert list(list_models()) == ["nuclei"]


def test_the_checksum_is_that_of_the_file() -> None:
    import hashlib

    save(models_folder() / "a", b"some bytes")
    assert find_model("a")[1].files[0].sha256 == hashlib.sha256(b"some bytes").hexdigest()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="Train one first"):
        find_model("cells")
    save(models_folder() / "nuclei")
    with pytest.raises(ParameterError, match="nuclei"):
        find_model("cells")
    with pytest.raises(ParameterError, match="not given"):
        find_model(" ")


def test_a_broken_neighbour_does_not_hide_the_others() -> None:
    save(models_folder() / "good")
    (models_folder() / "bad").mkdir()
    (models_folder() / "bad" / FILE_NAME).write_text("{")
    assert list(list_models()) == ["good"]


def test_saving_replaces_a_model_and_nothing_else(tmp_path: Path) -> None:
    save(tmp_path / "m", b"old")
    save(tmp_path / "m", b"newer")
    assert (tmp_path / "m" / WEIGHTS).read_bytes() == b"newer"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m"]
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("years of work")
    with pytest.raises(WriteError, match="holds no model"):
        save(thesis)
    assert (thesis / "chapter.txt").read_text() == "years of work"


def test_a_failed_save_leaves_the_old_model(tmp_path: Path) -> None:
    save(tmp_path / "m", b"old")

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left"):
        save_model(tmp_path / "m", CARD, fail)
    assert (tmp_path / "m" / WEIGHTS).read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_changed_card_is_read_again() -> None:
    save(models_folder() / "m", b"one")
    first = find_model("m")[1]
    save(models_folder() / "m", b"three")
    assert find_model("m")[1].files[0].sha256 != first.files[0].sha256


def test_new_names_are_free_and_harmless() -> None:
    assert free_name("../../etc/Zellen 3") == "etc-Zellen-3"
    assert free_name("///") == "model"
    save(models_folder() / "unet")
    assert free_name("unet") == "unet-2"


def test_missing_files_are_fetched_and_checked() -> None:
    with serving() as (url, handler):
        folder = models_folder() / "m"
        save(folder)
        data = json.loads((folder / FILE_NAME).read_text())
        data["files"][0] = {"name": WEIGHTS, "sha256": SHA, "size": len(CONTENT), "url": f"{url}/file"}
        (folder / FILE_NAME).write_text(json.dumps(data))
        (folder / WEIGHTS).unlink()
        assert fetch_model("m") == folder.resolve()
        assert (folder / WEIGHTS).read_bytes() == CONTENT
        fetch_model("m")
        assert len(handler.requests) == 1
        data["files"][0]["url"] = None
        (folder / FILE_NAME).write_text(json.dumps(data))
        (folder / WEIGHTS).unlink()
        with pytest.raises(ReadError, match="names no address"):
            fetch_model("m")


@pytest.mark.parametrize("model", [np.zeros((3, 3)), 7, b"cells", "x" * 5000, "a\0b", "~nobody-of-this-name/x"])
def test_what_can_be_no_model_is_refused_in_words(model: Any) -> None:
    with pytest.raises(ParameterError, match="model"):
        find_model(model)
