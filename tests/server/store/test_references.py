"""Nothing outside of the allowed folders is opened, however it is spelled, linked or named in a header."""

from __future__ import annotations

import os
import pickle
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr
from tests.server.store.stores import values_of

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import AccessError, GoneError, LightboxError, NotFoundError, ReadError
from napari_lightbox.server.store import References
from napari_lightbox.server.store.roots import Roots, open_inside

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")
DATA = values_of("<u2", (4, 30, 40))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    save(tmp_path / "root" / "image.tif")
    save(tmp_path / "outside" / "secret.tif")
    return tmp_path / "root"


def save(path: Path, data: np.ndarray = DATA, role: str = "image") -> Path:
    lb.write(path, Volume(data, Geometry.of("zyx", data.shape, (2.0, 0.5, 0.5), units=("mm",) * 3), {}, role, "cells"))
    return path


def opened(root: Path, location: object):
    return References([root], []).open(location)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.ome.zarr", "a.nii.gz", "a.nii", "a.mha", "a.mhd", "a.nrrd", "a.nhdr"])
def test_images_below_a_root(root, name) -> None:
    save(root / name)
    reference = opened(root, str(root / name))
    assert np.array_equal(reference.volume.data.compute(), DATA)
    assert np.allclose(reference.geometry.spacing, (2.0, 0.5, 0.5))
    assert reference.card.shape == DATA.shape
    assert reference.card.chunks == reference.volume.data.chunksize
    assert reference.role == "image"


def test_pictures_are_lazy_too(root) -> None:
    lb.write(root / "a.png", Volume(DATA[0], Geometry.of("yx", DATA[0].shape)))
    reference = opened(root, "a.png")
    assert reference.card.dtype == "<u2"
    assert np.array_equal(reference.volume.data.compute(), DATA[0])


def test_labels_are_labels(root) -> None:
    save(root / "a.ome.zarr", role="labels")
    assert opened(root, "a.ome.zarr").role == "labels"


def test_opening_reads_no_pixels(root) -> None:
    save(root / "a.ome.zarr")
    for chunk in (root / "a.ome.zarr" / "0" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"not a chunk")
    reference = opened(root, "a.ome.zarr")
    with pytest.raises(ReadError):
        reference.volume.data.compute()


def test_paths_are_absolute_or_below_a_root(root, tmp_path) -> None:
    (root / "deep").mkdir()
    save(root / "deep" / "b.tif")
    other = tmp_path / "other"
    other.mkdir()
    save(other / "c.tif", DATA + 1)
    references = References([root, other], [])
    assert references.open("deep/b.tif").id == references.open(str(root / "deep" / "b.tif")).id
    assert np.array_equal(references.open("c.tif").volume.data.compute(), DATA + 1)


def test_links_inside_the_root_are_followed(root) -> None:
    (root / "link.tif").symlink_to(root / "image.tif")
    assert opened(root, "link.tif").id == opened(root, "image.tif").id


def test_a_root_that_is_a_link(root, tmp_path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert np.array_equal(opened(tmp_path / "alias", str(tmp_path / "alias" / "image.tif")).volume.data.compute(), DATA)
    assert np.array_equal(opened(tmp_path / "alias", str(root / "image.tif")).volume.data.compute(), DATA)


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd", "/", "//etc/passwd", "/proc/self/environ", "/proc/self/root/etc/passwd", "/dev/zero", "/dev/stdin",
        "../outside/secret.tif",
        "{root}/../outside/secret.tif", "deep/../../outside/secret.tif", "..", "{root}/..", "{outside}/secret.tif",
        "{outside}/missing.tif",
        "{root}-evil/secret.tif", "..\\outside\\secret.tif", "\\\\server\\share\\a.tif", "//server/share/a.tif",
        "file:///etc/passwd", "file://{root}/image.tif",
        "s3://bucket/a.zarr", "gopher://127.0.0.1/a", "http://127.0.0.1/a.zarr", "https://example.org/a.zarr", "", "   ",
        "image.tif\0.png", "a\nb", "x" * 5000,
        None, 7, ["image.tif"], {"path": "image.tif"}, b"image.tif",
        "out-file.tif", "out-folder/secret.tif", "out-folder", "out-chain.tif", "out-relative.tif", "out-missing.tif",
        "loop.tif", "pipe.tif", "socket.tif", "device",
    ],
    ids=str,
)  # fmt: skip
def test_hostile_paths(root, tmp_path, location) -> None:
    outside = tmp_path / "outside"
    (tmp_path / "root-evil").mkdir()
    save(tmp_path / "root-evil" / "secret.tif")
    (root / "deep").mkdir()
    (root / "out-file.tif").symlink_to(outside / "secret.tif")
    (root / "out-folder").symlink_to(outside)
    (root / "out-chain.tif").symlink_to(root / "out-file.tif")
    (root / "out-relative.tif").symlink_to("../outside/secret.tif")
    (root / "out-missing.tif").symlink_to(outside / "nothing.tif")
    (root / "loop.tif").symlink_to(root / "loop.tif")
    (root / "device").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.tif")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(root)
        try:
            server.bind("socket.tif")
        finally:
            os.chdir(here)
        if isinstance(location, str):
            location = location.replace("{root}", str(root)).replace("{outside}", str(outside))
        with pytest.raises(AccessError):
            opened(root, location)


@pytest.mark.parametrize(
    "location", ["missing.tif", "*.tif", "~/a.tif", "image.tif/x", "$HOME", "%69mage.tif", "file:image.tif", "-"]
)
def test_what_is_not_there(root, location) -> None:
    with pytest.raises(NotFoundError):
        opened(root, location)


def test_nothing_tells_what_exists_outside(root, tmp_path) -> None:
    texts = set()
    for name in ("secret.tif", "nothing.tif"):
        with pytest.raises(AccessError) as caught:
            opened(root, str(tmp_path / "outside" / name))
        texts.add(str(caught.value).replace(name, "x"))
    assert len(texts) == 1


def test_without_roots_nothing_is_read(root) -> None:
    with pytest.raises(AccessError, match="no folder"):
        References([], []).open(str(root / "image.tif"))


def test_the_servers_own_folder_is_closed(root) -> None:
    own = root / "server"
    save_into = own / "results"
    save_into.mkdir(parents=True)
    save(save_into / "a.tif")
    references = References([root], [], own)
    for location in ("server/results/a.tif", "server", ".", str(root)):
        with pytest.raises(AccessError):
            references.open(location)
    references.open("image.tif")


def zarr_with(root: Path, place) -> str:
    save(root / "a.ome.zarr")
    place(root / "a.ome.zarr")
    return "a.ome.zarr"


@pytest.mark.parametrize("name", ["zarr.json", "0/zarr.json", "0", "0/c"])
def test_zarr_groups_that_link_outside(root, tmp_path, name) -> None:
    save(tmp_path / "outside" / "a.ome.zarr")
    location = zarr_with(root, lambda p: p)
    target = root / location / name
    target.rename(root / "aside")
    target.symlink_to(tmp_path / "outside" / "a.ome.zarr" / name)
    with pytest.raises(AccessError):
        opened(root, location).volume.data.compute()


def test_a_chunk_that_links_outside(root, tmp_path) -> None:
    data = np.zeros((4, 4), "u1")
    zarr.create_array(root / "a.zarr", shape=(4, 4), chunks=(4, 4), dtype="u1", compressors=None)[...] = data + 1
    (tmp_path / "outside" / "secret").write_bytes(b"0123456789abcdef")
    reference = opened(root, "a.zarr")
    chunk = root / "a.zarr" / "c" / "0" / "0"
    chunk.unlink()
    chunk.symlink_to(tmp_path / "outside" / "secret")
    with pytest.raises(AccessError):
        reference.volume.data.compute()
    chunk.unlink()
    os.mkfifo(chunk)
    with pytest.raises(AccessError):
        reference.volume.data.compute()


@pytest.mark.parametrize(
    "header",
    [
        "ElementDataFile = /etc/hostname", "ElementDataFile = ../outside/raw", "ElementDataFile = link.raw",
        "ElementDataFile=LIST\n../outside/raw",
        "ElementDataFile = LIST\nlink.raw\nlink.raw", "ElementDataFile = link%d.raw 1 2 1",
        "ElementDataFile = ../outside/raw%d 1 2 1",
        "ElementDataFile = l%9999999999d 1 2 1", "ElementDataFile = pipe.raw",
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".mhd", ".mha"])
def test_metaimages_that_name_files_outside(root, tmp_path, header, suffix) -> None:
    plant(root, tmp_path)
    (root / f"a{suffix}").write_text(f"ObjectType = Image\nNDims = 2\nDimSize = 2 2\nElementType = MET_UCHAR\n{header}\n")
    with pytest.raises((AccessError, ReadError)) as caught:
        opened(root, f"a{suffix}")
    assert caught.type is AccessError


@pytest.mark.parametrize(
    "line",
    [
        "data file: /etc/hostname", "data file: ../outside/raw", "datafile: link.raw", "Data File: link.raw",
        "datafile:=link.raw",
        "data file: LIST\nlink.raw\nlink.raw", "data file: link%d.raw 1 2 1", "data file: pipe.raw",
    ],
)  # fmt: skip
def test_nrrds_that_name_files_outside(root, tmp_path, line) -> None:
    plant(root, tmp_path)
    (root / "a.nhdr").write_text(f"NRRD0004\ntype: uchar\ndimension: 2\nsizes: 2 2\nencoding: raw\n{line}\n")
    with pytest.raises(AccessError):
        opened(root, "a.nhdr")


def plant(root: Path, tmp_path: Path) -> None:
    for name in ("raw", "raw1", "raw2"):
        (tmp_path / "outside" / name).write_bytes(b"abcd")
    for name in ("link.raw", "link1.raw", "link2.raw"):
        (root / name).symlink_to(tmp_path / "outside" / "raw")
    os.mkfifo(root / "pipe.raw")


def test_a_header_that_hides_the_name_behind_a_long_comment(root, tmp_path) -> None:
    plant(root, tmp_path)
    filler = "# " + "x" * 2**20
    (root / "a.nhdr").write_text(
        f"NRRD0004\ntype: uchar\ndimension: 2\nsizes: 2 2\nencoding: raw\n{filler}\ndata file: link.raw\n"
    )
    with pytest.raises(LightboxError):
        opened(root, "a.nhdr")


def test_nifti_pairs_that_link_outside(root, tmp_path) -> None:
    import nibabel

    nibabel.save(nibabel.Nifti1Pair(DATA.astype("<i2"), np.eye(4)), tmp_path / "outside" / "b.hdr")
    nibabel.save(nibabel.Nifti1Pair(DATA.astype("<i2"), np.eye(4)), root / "b.hdr")
    assert opened(root, "b.hdr").card.shape
    (root / "b.img").unlink()
    (root / "b.img").symlink_to(tmp_path / "outside" / "b.img")
    for name in ("b.hdr", "b.img"):
        with pytest.raises(AccessError):
            opened(root, name)


@pytest.mark.parametrize("name", ["../outside/other.ome.tif", "&#46;&#46;/outside/other.ome.tif", "link.ome.tif"])
def test_tiffs_that_name_files_outside(root, tmp_path, name) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "outside" / "other.ome.tif", DATA[0])
    (root / "link.ome.tif").symlink_to(tmp_path / "outside" / "other.ome.tif")
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint16" SizeX="40" SizeY="30" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0"/>'
        '<TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID FileName="a.ome.tif">urn:uuid:1</UUID></TiffData>'
        f'<TiffData FirstZ="1" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:2</UUID></TiffData></Pixels></Image></OME>'
    )
    tifffile.imwrite(root / "a.ome.tif", DATA[0], description=xml.encode(), metadata=None)
    with pytest.raises(AccessError):
        opened(root, "a.ome.tif")


def test_a_playlist_is_no_video(root) -> None:
    (root / "a.mpg").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    with pytest.raises(ReadError, match="video"):
        opened(root, "a.mpg")


def test_tables_are_no_images(root) -> None:
    (root / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ReadError, match="no image"):
        opened(root, "a.csv")


@pytest.mark.parametrize("kind", ["file", "folder", "pipe"])
def test_series_that_link_outside(root, tmp_path, kind) -> None:
    series = root / "series"
    series.mkdir()
    if kind == "pipe":
        os.mkfifo(series / "1.dcm")
    else:
        (series / "1.dcm").symlink_to(tmp_path / "outside" / ("secret.tif" if kind == "file" else ""))
    with pytest.raises(AccessError):
        opened(root, "series")


def test_a_file_that_is_swapped_for_a_link_after_it_was_opened(root, tmp_path) -> None:
    reference = opened(root, "image.tif")
    assert reference.volume.data[0, 0, 0].compute() == DATA[0, 0, 0]
    (root / "image.tif").unlink()
    (root / "image.tif").symlink_to(tmp_path / "outside" / "secret.tif")
    with pytest.raises(LightboxError):
        reference.volume.data.compute()


def test_a_file_that_changed_after_it_was_opened(root) -> None:
    reference = opened(root, "image.tif")
    save(root / "image.tif", DATA + 1)
    with pytest.raises(GoneError, match="changed"):
        reference.volume.data.compute()


def test_a_folder_that_is_swapped_while_it_is_opened(root, tmp_path, monkeypatch) -> None:
    (root / "deep").mkdir()
    save(root / "deep" / "secret.tif")
    real_open = os.open

    def swapped(path, *args, **kwargs):
        (root / "deep").rename(root / "aside")
        (root / "deep").symlink_to(tmp_path / "outside")
        return real_open(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(AccessError):
        open_inside(root / "deep" / "secret.tif", root)


def test_lazy_arrays_travel_to_other_processes(root, tmp_path, python) -> None:
    save(root / "a.ome.zarr")
    arrays = [opened(root, name).volume.data for name in ("image.tif", "a.ome.zarr")]
    import cloudpickle

    (tmp_path / "arrays").write_bytes(cloudpickle.dumps(arrays))
    code = """
        import pathlib, pickle, sys
        for array in pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()):
            print(int(array.astype(int).sum().compute(scheduler="synchronous")))
    """
    out, err = python(code, tmp_path / "arrays").communicate(timeout=120)
    assert out.split() == [str(int(DATA.astype(int).sum()))] * 2, err
    assert pickle.loads(pickle.dumps(arrays[1].dask.layers[arrays[1].name])).name == arrays[1].name


def test_references_survive_a_restart(root, tmp_path) -> None:
    one = References([root], [], tmp_path / "server").open(str(root / "image.tif"))
    again = References([root], [], tmp_path / "server")
    assert np.array_equal(again.array(one.id).compute(), DATA)
    assert again.get(one.id).volume.data.name == one.volume.data.name
    save(root / "image.tif", DATA + 1)
    with pytest.raises(GoneError):
        References([root], [], tmp_path / "server").get(one.id)
    with pytest.raises(AccessError):
        References([tmp_path / "outside"], [], tmp_path / "server").get(one.id)


@pytest.mark.parametrize("name", ["", "..", "../references/x", "0" * 32, None, 7])
def test_references_that_nobody_made(root, tmp_path, name) -> None:
    with pytest.raises(NotFoundError):
        References([root], [], tmp_path / "server").get(name)
    with pytest.raises(NotFoundError):
        References([root], []).get(name)


def test_the_refusal_names_the_roots(root) -> None:
    with pytest.raises(AccessError, match=str(root)):
        Roots([root]).find("/etc/passwd")
