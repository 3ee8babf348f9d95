from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import psutil
import pytest

from napari_lightbox.errors import ParameterError
from napari_lightbox.settings import override, parse_size, read_settings, settings


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2_000_000_000), ("512 MiB", 512 * 2**20), ("1.5GiB", 1.5 * 2**30), ("1000", 1000), ("3k", 3000), (".5 TB", 5e11)],
)
def test_sizes_in_words(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2 XB", "-1GB", "1e9", "nan"])
def test_what_is_no_size(text):
    with pytest.raises(ParameterError, match="2GB or 512MiB"):
        parse_size(text)


def test_defaults_without_environment():
    found = read_settings({})
    assert 2**20 <= found.memory_budget <= psutil.virtual_memory().total * 0.25
    assert found.cache_folder.name
    assert (found.device, found.scheduler) == ("auto", "threads")
    assert found.threads >= 1


def test_the_environment_decides(tmp_path):
    found = read_settings(
        {
            "LIGHTBOX_MEMORY_BUDGET": "2GB",
            "LIGHTBOX_CACHE": str(tmp_path),
            "LIGHTBOX_DEVICE": "cuda:1",
            "LIGHTBOX_SCHEDULER": "tcp://host:8786",
            "LIGHTBOX_THREADS": "3",
        }
    )
    assert (found.memory_budget, found.cache_folder) == (2_000_000_000, tmp_path)
    assert (found.device, found.scheduler, found.threads) == ("cuda:1", "tcp://host:8786", 3)


def test_home_is_expanded():
    assert read_settings({"LIGHTBOX_CACHE": "~/somewhere"}).cache_folder == Path.home() / "somewhere"


@pytest.mark.parametrize(
    ("variable", "value", "subject"),
    [
        ("LIGHTBOX_MEMORY_BUDGET", "plenty", "memory_budget"),
        ("LIGHTBOX_MEMORY_BUDGET", "1kB", "memory_budget"),
        ("LIGHTBOX_THREADS", "0", "threads"),
        ("LIGHTBOX_THREADS", "two", "threads"),
        ("LIGHTBOX_DEVICE", "abacus", "device"),
        ("LIGHTBOX_SCHEDULER", "elsewhere", "scheduler"),
    ],
)
def test_bad_values_name_the_setting(variable, value, subject):
    with pytest.raises(ParameterError) as caught:
        read_settings({variable: value})
    assert caught.value.subject == subject


def test_override_holds_in_all_threads_and_ends():
    before = settings()
    assert settings() is before
    with override(memory_budget="64MiB") as changed:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(settings).result() is changed
        with override(threads=7):
            assert (settings().threads, settings().memory_budget) == (7, 64 * 2**20)
        assert settings() is changed
    assert settings() is before


def test_override_ends_after_an_error():
    before = settings()
    with pytest.raises(ZeroDivisionError), override(threads=5):
        raise ZeroDivisionError
    assert settings() is before


def test_override_knows_its_names():
    with pytest.raises(ParameterError, match="memory_budget"), override(memory=1):
        pass


def test_settings_cannot_be_changed_by_accident():
    with pytest.raises(FrozenInstanceError):
        settings().threads = 1
