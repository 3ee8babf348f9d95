"""What the zarr library writes is read bit for bit; bombs, lies and damage are errors before they cost anything."""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from pathlib import Path

import hypothesis.strategies as st
import imagecodecs
import numcodecs
import numpy as np
import pytest
import zarr
import zarr.codecs as codecs
from hypothesis import given, settings
from tests.server.store.stores import KINDS, values_of

from napari_lightbox.errors import AccessError, ReadError
from napari_lightbox.server.store import zarr_layout
from napari_lightbox.server.store.files import FolderFiles
from napari_lightbox.server.store.ome_image import open_image

DATA = np.arange(10 * 21, dtype="<u2").reshape(10, 21)
SETTINGS = {
    "plain": {"compressors": None},
    "zstd": {"compressors": codecs.ZstdCodec(level=3, checksum=True)},
    "gzip": {"compressors": codecs.GzipCodec()},
    "blosc": {"compressors": codecs.BloscCodec(cname="lz4", shuffle="bitshuffle")},
    "two": {"compressors": [codecs.GzipCodec(), codecs.ZstdCodec()]},
    "checked": {"compressors": [codecs.ZstdCodec(), codecs.Crc32cCodec()]},
    "big": {"compressors": None, "serializer": codecs.BytesCodec(endian="big")},
    "dots": {"chunk_key_encoding": {"name": "default", "separator": "."}},
    "old names": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "v2 blosc": {"zarr_format": 2, "compressors": numcodecs.Blosc()},
    "v2 zlib": {"zarr_format": 2, "compressors": numcodecs.Zlib()},
    "v2 gzip": {"zarr_format": 2, "compressors": numcodecs.GZip()},
    "v2 zstd": {"zarr_format": 2, "compressors": numcodecs.Zstd()},
    "v2 plain": {"zarr_format": 2, "compressors": None},
    "v2 F": {"zarr_format": 2, "compressors": None, "order": "F"},
    "v2 slashes": {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
}


def opened(folder: Path):
    return open_image(FolderFiles(folder.resolve(), folder.resolve()), "", "image").data


def read(folder: Path) -> np.ndarray:
    return np.asarray(opened(folder).compute(scheduler="synchronous"))


def stored(folder: Path, data: np.ndarray = DATA, chunks=(4, 8), **options):
    array = zarr.create_array(folder, shape=data.shape, dtype=data.dtype, chunks=chunks, **options)
    array[...] = data
    return array


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(SETTINGS)),
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.integers(0, 7), st.integers(1, 4)), max_size=3),
    st.integers(0, 2**32),
)
def test_what_the_library_writes_is_read(name, kind, axes, seed) -> None:
    shape, chunks = tuple(n for n, _ in axes), tuple(c for _, c in axes)
    if kind[1:] in ("b1", "i1", "u1") and name == "big":
        kind = "<i2"
    data = values_of(kind, shape, seed)
    with tempfile.TemporaryDirectory() as folder:
        stored(Path(folder) / "a", data, chunks, **SETTINGS[name])
        got = read(Path(folder) / "a")
        assert (got.dtype, got.shape, got.tobytes()) == (np.dtype(kind), shape, data.tobytes())


def test_big_endian_files_of_version_2(tmp_path) -> None:
    stored(tmp_path / "a", DATA.astype(">u2"), zarr_format=2)
    got = read(tmp_path / "a")
    assert got.dtype == np.dtype("<u2")
    assert np.array_equal(got, DATA)


def test_turned_axes(tmp_path) -> None:
    data = np.arange(2 * 3 * 5, dtype="<f4").reshape(2, 3, 5)
    stored(tmp_path / "a", data, (2, 3, 4), filters=[codecs.TransposeCodec(order=(2, 0, 1))])
    assert np.array_equal(read(tmp_path / "a"), data)


@pytest.mark.parametrize("where", ["start", "end"])
@pytest.mark.parametrize("whole", [True, False])
def test_shards_whole_and_in_parts(tmp_path, monkeypatch, where, whole) -> None:
    if not whole:
        monkeypatch.setattr(zarr_layout, "_WHOLE_SHARD", 0)
    data = np.random.default_rng(0).integers(0, 1000, (30, 50)).astype("<i4")
    sharding = {"shape": (16, 32), "index_location": where}
    array = zarr.create_array(tmp_path / "a", shape=data.shape, dtype=data.dtype, chunks=(8, 8), shards=sharding, fill_value=-5)
    array[:20, :40] = data[:20, :40]
    expected = np.full_like(data, -5)
    expected[:20, :40] = data[:20, :40]
    lazy = opened(tmp_path / "a")
    assert lazy.chunksize == ((16, 32) if whole else (8, 8))
    assert np.array_equal(read(tmp_path / "a"), expected)


@pytest.mark.parametrize("fill", [0, 7, 255])
@pytest.mark.parametrize("version", [2, 3])
def test_what_is_not_stored_has_the_fill_value(tmp_path, fill, version) -> None:
    zarr.create_array(tmp_path / "a", shape=(5, 5), dtype="u1", chunks=(2, 2), fill_value=fill, zarr_format=version)[:2, :2] = 1
    expected = np.full((5, 5), fill, "u1")
    expected[:2, :2] = 1
    assert np.array_equal(read(tmp_path / "a"), expected)


@pytest.mark.parametrize("fill", [float("nan"), float("inf"), float("-inf"), 1.5])
@pytest.mark.parametrize("version", [2, 3])
def test_fill_values_that_json_has_no_numbers_for(tmp_path, fill, version) -> None:
    zarr.create_array(tmp_path / "a", shape=(5, 5), dtype="f4", chunks=(2, 2), fill_value=fill, zarr_format=version)
    assert np.array_equal(read(tmp_path / "a"), np.full((5, 5), fill, "f4"), equal_nan=True)


def test_complex_and_hexadecimal_fill_values(tmp_path) -> None:
    zarr.create_array(tmp_path / "a", shape=(3, 3), dtype="c8", chunks=(2, 2), fill_value=1 - 2j)
    assert (read(tmp_path / "a") == 1 - 2j).all()
    zarr.create_array(tmp_path / "b", shape=(3, 3), dtype="f4", chunks=(2, 2), fill_value=0)
    changed(tmp_path / "b", fill_value="0x3fc00000")
    assert (read(tmp_path / "b") == 1.5).all()


def changed(folder: Path, **fields) -> None:
    path = folder / ("zarr.json" if (folder / "zarr.json").exists() else ".zarray")
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def bomb(name: str) -> bytes:
    many = bytes(2**26)
    if name == "gzip":
        return gzip.compress(many)
    if name == "gzip pieces":
        return gzip.compress(bytes(64)) * 2000
    if name == "zlib":
        return zlib.compress(many)
    if name == "zstd":
        return imagecodecs.zstd_encode(many)
    return numcodecs.Blosc().encode(many)


@pytest.mark.parametrize(("name", "codec"), [("gzip", "gzip"), ("gzip pieces", "gzip"), ("zstd", "zstd"), ("blosc", "blosc")])
def test_bombs_do_not_go_off(tmp_path, name, codec) -> None:
    stored(tmp_path / "a", **SETTINGS[codec])
    (tmp_path / "a" / "c" / "0" / "0").write_bytes(bomb(name)[: 2**16])
    (tmp_path / "a" / "c" / "0" / "1").write_bytes(bomb(name))
    for part in (opened(tmp_path / "a")[:4, :8], opened(tmp_path / "a")[:4, 8:16]):
        with pytest.raises(ReadError):
            part.compute()


def test_a_bomb_in_a_bomb(tmp_path) -> None:
    stored(tmp_path / "a", **SETTINGS["two"])
    inner = gzip.compress(bytes(2**26))
    (tmp_path / "a" / "c" / "0" / "0").write_bytes(imagecodecs.zstd_encode(gzip.compress(inner)))
    with pytest.raises(ReadError):
        opened(tmp_path / "a")[:4, :8].compute()


@pytest.mark.parametrize("name", ["plain", "zstd", "gzip", "blosc", "checked"])
@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + b"\0" * 9, lambda b: b"", lambda b: bytes(len(b) + 1), lambda b: b * 3000]
)
def test_damaged_chunks(tmp_path, name, damage) -> None:
    stored(tmp_path / "a", **SETTINGS[name])
    path = tmp_path / "a" / "c" / "0" / "0"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ReadError):
        opened(tmp_path / "a")[:4, :8].compute()


def test_a_flipped_bit_under_a_checksum(tmp_path) -> None:
    stored(tmp_path / "a", compressors=[codecs.Crc32cCodec()])
    path = tmp_path / "a" / "c" / "0" / "0"
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ReadError, match="checksum"):
        opened(tmp_path / "a")[:4, :8].compute()


@pytest.mark.parametrize(
    "table",
    [
        b"\xff" * 7 + b"\x00" + b"\x08" + b"\0" * 7,
        (10**9).to_bytes(8, "little") + (8).to_bytes(8, "little"),
        bytes(8) + (2**62).to_bytes(8, "little"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_tables_of_shards_that_lie(tmp_path, monkeypatch, table, whole) -> None:
    if not whole:
        monkeypatch.setattr(zarr_layout, "_WHOLE_SHARD", 0)
    stored(tmp_path / "a", DATA[:8, :8], (4, 4), shards={"shape": (8, 8), "index_location": "end"}, compressors=None)
    document = json.loads((tmp_path / "a" / "zarr.json").read_text())
    document["codecs"][0]["configuration"]["index_codecs"] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    (tmp_path / "a" / "zarr.json").write_text(json.dumps(document))
    path = tmp_path / "a" / "c" / "0" / "0"
    path.write_bytes(path.read_bytes()[: 4 * 32] + table * 4)
    with pytest.raises(ReadError):
        read(tmp_path / "a")


@pytest.mark.parametrize(
    "fields",
    [
        {"shape": [-1, 21]}, {"shape": [1.5, 21]}, {"shape": [10]}, {"shape": "10"}, {"shape": [2**60, 2**60]}, {"shape": None},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0, 8]}}},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2**20, 2**20]}}},
        {"chunk_grid": {"name": "regular", "configuration": {}}}, {"chunk_grid": {"name": "rectangular"}}, {"chunk_grid": []},
        {"data_type": "string"}, {"data_type": {"name": "numpy.datetime64"}}, {"data_type": "float128"}, {"codecs": []},
        {"codecs": None},
        {"codecs": [{"name": "packbits"}]}, {"codecs": [{"name": "bytes"}, {"name": "vlen-utf8"}]},
        {"codecs": [{"name": "transpose", "configuration": {"order": [0, 0]}}, {"name": "bytes"}]},
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "/../"}}},
        {"chunk_key_encoding": {"name": "other"}},
        {"fill_value": "nothing"}, {"fill_value": {}}, {"storage_transformers": [{"name": "x"}]},
    ],
)  # fmt: skip
def test_metadata_that_lie(tmp_path, fields) -> None:
    stored(tmp_path / "a")
    changed(tmp_path / "a", **fields)
    with pytest.raises(ReadError):
        opened(tmp_path / "a")


@pytest.mark.parametrize(
    "fields",
    [
        {"filters": [{"id": "delta"}]},
        {"compressor": {"id": "lzma"}},
        {"dtype": "|O"},
        {"dtype": [["a", "<u2"]]},
        {"dtype": "<M8[s]"},
        {"order": None, "chunks": None},
        {"zarr_format": 4},
    ],
)
def test_metadata_of_version_2_that_lie(tmp_path, fields) -> None:
    stored(tmp_path / "a", zarr_format=2)
    changed(tmp_path / "a", **fields)
    with pytest.raises(ReadError):
        opened(tmp_path / "a")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"3", b"{", b"\xff\xfe", b"[" * 100_000, b"{}", b'{"zarr_format": 3, "node_type": "group"}', b" " * (5 * 2**20)],
)
def test_what_is_no_metadata(tmp_path, content) -> None:
    (tmp_path / "zarr.json").write_bytes(content)
    with pytest.raises(ReadError):
        opened(tmp_path)


@pytest.mark.parametrize("path", ["../outside", "/etc", "a/../../b", "..", "", ".", "a//b", "a\\b", "C:/x", "a\0b"])
def test_groups_that_name_arrays_elsewhere(tmp_path, path) -> None:
    attributes = {
        "ome": {"version": "0.5", "multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": path}]}]}
    }
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}))
    stored(tmp_path / "outside")
    with pytest.raises((ReadError, AccessError)):
        opened(tmp_path / "in")
