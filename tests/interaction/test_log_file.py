"""Logs as files: nothing lost, nothing half written, nothing hostile let in."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interaction.conftest import Person, phantom, seeded

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points, Table
from napari_lightbox.engine.request import Request, decode
from napari_lightbox.errors import LightboxError, ReadError, RecipeError, WriteError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.entries import Accepted, Painted, Ran, SourceAdded, TargetAdded
from napari_lightbox.interaction.log import InteractionLog
from napari_lightbox.interaction.replay import replay_log


def small() -> InteractionLog:
    person = seeded(Person(phantom((16, 18))))
    own = person.volume("seeds").with_data(person.arrays["seeds"].copy())
    number, result = person.run("random_walker", inputs=(person.image, own), names={"image": "source:image"})
    person.accept(number, result, ids=[1, 2])
    return person.log


@pytest.fixture(scope="module")
def members(tmp_path_factory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("log") / "a.lightbox-log"
    small().save(path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(members: dict[str, bytes], path, deflated: str = "") -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            stored = name == "changes.bin" and name != deflated
            file.writestr(name, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


def test_every_entry_comes_back(tmp_path) -> None:
    image = phantom((10, 12), (0.5, 0.25))
    log = InteractionLog()
    log.add_source("a", image, "/data/a.tif")
    held = np.arange(120, dtype=np.uint16).reshape(10, 12)
    log.add_target("t", image.geometry, np.uint16, held)
    log.paint("t", Delta.between(held, held + 1))
    table = Table({"label": np.array([4, 5]), "name": np.array(["é", "long name"])})
    inputs = (image, Points(np.array([[1.5, 2.0], [3, 4]]), table))
    number = log.run(Request("rotate", inputs, {"angle": np.float64(30.0), "pair": (1, 2)}), {"image": "source:a"})
    log.accept(number, "t", np.array([3, 4]), (slice(2, None), slice(None, -1)))
    log.save(tmp_path / "a.lightbox-log")
    again = InteractionLog.load(tmp_path / "a.lightbox-log")
    assert [type(e) for e in again.entries] == [SourceAdded, TargetAdded, Painted, Ran, Accepted]
    source, target, paint, ran, accepted = again.entries
    assert (source.name, source.geometry, source.dtype, source.path) == ("a", image.geometry, image.dtype, "/data/a.tif")
    assert target.initial.fingerprint == Delta.between(np.zeros_like(held), held).fingerprint
    assert paint.delta.fingerprint == Delta.between(held, held + 1).fingerprint
    assert ran.request["parameters"] == {"angle": 30.0, "pair": [1, 2]}
    points = decode(ran.request["inputs"][1], again.arrays.get)
    np.testing.assert_array_equal(points.data, inputs[1].data)
    assert points.features["name"].tolist() == ["é", "long name"]
    assert (accepted.run, accepted.ids, accepted.region) == (0, (3, 4), (slice(2, 10), slice(0, 11)))
    assert again.hashes.known() == log.hashes.known() != {}


def test_a_loaded_log_goes_on_with_the_same_image_only(tmp_path) -> None:
    person = seeded(Person(phantom((16, 18))))
    person.log.save(tmp_path / "a.lightbox-log")
    log = person.log = InteractionLog.load(tmp_path / "a.lightbox-log")
    with pytest.raises(RecipeError, match="other pixels"):
        log.add_source("image", phantom((16, 18), seed=5))
    with pytest.raises(RecipeError, match="another image"):
        log.add_source("image", phantom((16, 18), (2, 2)))
    log.add_source("image", phantom((16, 18)))
    log.add_source("image", person.image)
    with pytest.raises(RecipeError, match="already"):
        log.add_target("seeds", person.geometry, np.int32)
    number, result = person.run("random_walker")
    person.accept(number, result)
    log.save(tmp_path / "a.lightbox-log")
    found = replay_log(InteractionLog.load(tmp_path / "a.lightbox-log"), {"image": person.image})
    np.testing.assert_array_equal(found["organs"].data, person.arrays["organs"])


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.lightbox-log"
    small().save(path)
    before = path.read_bytes()
    log = small()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(WriteError, match="no space"):
        log.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_is_logged_must_fit() -> None:
    log = InteractionLog()
    image = phantom((16, 18))
    log.add_target("t", image.geometry, np.int32)
    stroke = Delta.between(np.zeros((4, 4), np.int32), np.eye(4, dtype=np.int32))
    for call, reason in [
        (lambda: log.paint("u", stroke), "target:u"),
        (lambda: log.paint("t", Delta.between(np.zeros((17, 3), "i4"), np.ones((17, 3), "i4"))), "something else"),
        (lambda: log.paint("t", Delta.between(np.zeros((4, 4), "u1"), np.ones((4, 4), "u1"))), "something else"),
        (lambda: log.accept(0, "t", None), "no run 0"),
        (lambda: log.run(Request("gaussian_blur", (image,)), {"image": "source:a"}), "source:a"),
        (lambda: log.run(Request("gaussian_blur", (image,)), {"seeds": "target:t"}), "no such image"),
        (lambda: log.run(Request("gaussian_blur", (image,)), {"image": "target:t"}), "has type int16"),
        (lambda: log.add_target("v", image.geometry, np.int32, np.zeros((3, 3), np.int32)), "starts as"),
    ]:
        with pytest.raises(RecipeError, match=reason):
            call()
    assert len(log.entries) == 1
    log.run(Request("gaussian_blur", (image,)), {})
    for region in [(slice(0, 3),), (slice(0, 3), slice(5, 99)), (slice(0, 8, 2), slice(None)), (slice(3, 3), slice(None))]:
        with pytest.raises(RecipeError, match="region"):
            log.accept(0, "t", None, region)
    huge = Volume(np.broadcast_to(np.float32(0), (1000, 1000, 100)), Geometry.of("zyx", (1000, 1000, 100)))
    with pytest.raises(RecipeError, match=r"400 MB is too large .* Add it to the log as a source"):
        log.run(Request("gaussian_blur", (huge,)), {})


def test_pixels_are_let_go_of(monkeypatch) -> None:
    import gc
    import weakref

    person = seeded(Person(phantom((16, 18))))
    log = person.log
    number, result = person.run("random_walker")
    person.accept(number, result)
    pixels = weakref.ref(person.image.data)
    log.release("image")
    log.hashes.known()
    person.image = person.arrays = None
    gc.collect()
    assert pixels() is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_cut_off_files_are_refused(share, tmp_path) -> None:
    path = tmp_path / "a.lightbox-log"
    small().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ReadError, match=r"a\.lightbox-log"):
        InteractionLog.load(path)


def edited(members, change) -> dict[str, bytes]:
    text = json.loads(members["log.json"])
    change(text)
    return {**members, "log.json": json.dumps(text).encode()}


def by(kind: str):
    return lambda text: next(e for e in text["entries"] if e["do"] == kind)


HOSTILE = {
    "newer": (lambda t: t.update(lightbox_log=2), "Update napari-lightbox"),
    "no version": (lambda t: t.pop("lightbox_log"), "no log has"),
    "unknown entry": (lambda t: t["entries"].append({"do": "shell", "command": "rm"}), "no log has"),
    "run before its source": (lambda t: t["entries"].reverse(), "contradicts itself"),
    "change outside the file": (lambda t: by("paint")(t).update(change=[0, 10**9]), "no log has"),
    "negative place": (lambda t: by("paint")(t).update(change=[-5, 5]), "no log has"),
    "object type": (lambda t: by("target")(t).update(dtype="O"), "no log has"),
    "unknown target": (lambda t: by("accept")(t).update(target="x"), "contradicts itself"),
    "run that is not there": (lambda t: by("accept")(t).update(run=7), "contradicts itself"),
    "region outside": (lambda t: by("accept")(t).update(region=[[0, 99], [0, 18]]), "contradicts itself"),
    "array that is not there": (lambda t: by("run")(t)["request"]["inputs"][1].update(data="array:0"), "contradicts itself"),
    "affine of text": (lambda t: by("source")(t)["geometry"].update(affine="x"), "no log has"),
    "a list for the whole": (lambda t: t.update(entries={"do": 1}), "no log has"),
    "order that repeats": (lambda t: by("source")(t).update(layout={"order": [0, 0]}), "no log has"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_in_words(name, members, tmp_path) -> None:
    change, reason = HOSTILE[name]
    packed(edited(members, change), tmp_path / "a.lightbox-log")
    with pytest.raises(ReadError, match=reason):
        InteractionLog.load(tmp_path / "a.lightbox-log")


def test_pickles_bombs_and_strangers_are_refused(members, tmp_path) -> None:
    path = tmp_path / "a.lightbox-log"
    name = next(n for n in members if n.startswith("arrays/"))
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    swapped = io.BytesIO()
    np.save(swapped, np.zeros((16, 18), np.int32))
    lying = bytearray(members[name])
    lying[lying.index(b"(16, 18)") : lying.index(b"(16, 18)") + 8] = b"(99, 99)"
    for extra, reason in [
        ({name: pickled.getvalue()}, "not what it says"),
        ({name: swapped.getvalue()}, "was changed"),
        ({name: bytes(lying)}, "not what it says"),
        ({"../evil": b"x"}, "no log has"),
        ({"changes.bin": bytes(2**24)}, "unpack to 17 MB"),
        ({"log.json": b" " * 2**24 + b"{}"}, "unpack to 17 MB"),
    ]:
        packed({**members, **extra}, path, deflated=next(iter(extra)))
        with pytest.raises(ReadError, match=reason):
            InteractionLog.load(path)
    path.write_bytes(b"not a zip at all")
    with pytest.raises(ReadError, match="damaged or no log"):
        InteractionLog.load(path)
    with pytest.raises(ReadError, match="does not exist"):
        InteractionLog.load(tmp_path / "none.lightbox-log")


@given(data=st.data())
def test_any_flipped_byte_is_an_error_in_words_or_harmless(data, members, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("flip") / "a.lightbox-log"
    packed(members, path)
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    with suppress(LightboxError):
        log = InteractionLog.load(path)
        replay_log(log, {"image": phantom((16, 18))}, force=True)
