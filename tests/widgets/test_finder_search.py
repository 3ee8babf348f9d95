"""The search of the finder: rank, wrong letters, and what is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.contract import registry
from napari_lightbox.errors import WriteError
from napari_lightbox.widgets.finder_memory import MOST_RECENT, FinderMemory
from napari_lightbox.widgets.finder_search import Search, wrong_letters

TECHNIQUES = registry.find(kind="technique")
SEARCH = Search(TECHNIQUES)


def found(text: str) -> list[str]:
    return [TECHNIQUES[i].id for i in SEARCH.rank(text)]


def test_every_technique_is_first_for_its_own_name_and_found_by_its_synonyms() -> None:
    for technique in TECHNIQUES:
        assert found(technique.title)[0] == technique.id
        assert found(technique.id)[0] == technique.id
        for synonym in technique.synonyms:
            assert technique.id in found(synonym), synonym


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("gausian blr", "gaussian_blur"),
        ("medain", "median_filter"),
        ("watreshed", "marker_controlled_watershed"),
        ("morhpological openin", "morphological_opening"),
        ("otus", "threshold_otsu"),
        ("regionprops", "region_properties"),
        ("CLAHE", "clahe"),
        ("dice", "segmentation_overlap"),
        ("low-pass", "gaussian_blur"),
    ],
)
def test_wrong_letters_and_other_names(typed: str, wanted: str) -> None:
    assert found(typed)[0] == wanted


def test_families_are_found_as_a_whole_and_every_word_counts() -> None:
    assert {t.id for t in TECHNIQUES if t.family == "threshold"} <= set(found("threshold"))
    assert set(found("threshold local")) < set(found("threshold"))
    assert found("no such thing at all qqq") == []
    assert len(found("  ")) == len(TECHNIQUES)


def plain_distance(typed: str, word: str) -> int:
    """Least number of edits to make `typed` the beginning of `word`, by brute recursion."""

    def steps(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        best = min(steps(i - 1, j) + 1, steps(i, j - 1) + 1, steps(i - 1, j - 1) + (typed[i - 1] != word[j - 1]))
        if i > 1 and j > 1 and typed[i - 1] == word[j - 2] and typed[i - 2] == word[j - 1]:
            best = min(best, steps(i - 2, j - 2) + 1)
        return best

    return min(steps(len(typed), j) for j in range(len(word) + 1))


@given(st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=6))
def test_wrong_letters_are_counted_as_by_definition(typed: str, word: str) -> None:
    exact = plain_distance(typed, word)
    counted = wrong_letters(typed, word, 2)
    assert counted == exact if exact <= 2 else counted > 2


def test_favourites_and_recent_survive_and_other_windows_are_heard(tmp_path: Path) -> None:
    path = tmp_path / "made when needed" / "memory.json"
    first, second = FinderMemory(path), FinderMemory(path)
    first.toggle("gaussian_blur")
    second.toggle("clahe")
    second.toggle("from_a_plugin_that_is_gone")
    for i in range(MOST_RECENT + 3):
        first.opened(f"t{i}")
    first.opened("t5")
    again = FinderMemory(path)
    assert again.favourites == ("gaussian_blur", "clahe", "from_a_plugin_that_is_gone")
    assert again.recent[0] == "t5"
    assert len(again.recent) == len(set(again.recent)) == MOST_RECENT
    again.toggle("clahe")
    assert FinderMemory(path).favourites == ("gaussian_blur", "from_a_plugin_that_is_gone")


@pytest.mark.parametrize("text", ["{", "[]", '{"favourites": 3, "recent": []}', '{"favourites": [1], "recent": []}', "\x00"])
def test_a_damaged_file_is_set_aside_not_lost(tmp_path: Path, text: str) -> None:
    path = tmp_path / "memory.json"
    path.write_text(text)
    memory = FinderMemory(path)
    assert memory.favourites == ()
    memory.toggle("clahe")
    assert json.loads(path.read_text())["favourites"] == ["clahe"]
    assert path.with_suffix(".damaged").read_text() == text


def test_a_place_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    path.mkdir()
    memory = FinderMemory(path)
    with pytest.raises(WriteError):
        memory.toggle("clahe")
    assert memory.favourites == ("clahe",)
