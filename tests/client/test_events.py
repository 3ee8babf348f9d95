"""Event streams are read whole however the network cuts them."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from napari_lightbox.client import events
from napari_lightbox.client.events import Event, read_events
from napari_lightbox.errors import ServerError, WireError

JSON = st.recursive(st.none() | st.integers(-9, 9) | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3))
EVENTS = st.lists(st.tuples(st.sampled_from(["state", "wanted", "outputs"]), JSON), max_size=5)


@given(EVENTS, st.sampled_from(["\n", "\r\n"]), st.data())
def test_events_survive_any_cut(sent, end, data) -> None:
    text = "".join(f": here{end}event: {name}{end}data: {json.dumps(value)}{end}{end}: still{end}" for name, value in sent)
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert list(read_events(pieces)) == [Event(name, value) for name, value in sent]


def test_data_may_span_lines_and_names_may_be_missing() -> None:
    assert list(read_events([b'data: {"a":\ndata: 1}\n\nevent:x\ndata:2\n\n'])) == [Event("message", {"a": 1}), Event("x", 2)]


def test_an_event_that_is_cut_off_never_happened() -> None:
    assert list(read_events([b"event: state\ndata: 1\n"])) == []


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ServerError):
        list(read_events([b"data: {nonsense\n\n"]))


@pytest.mark.parametrize("piece", [b"x" * 1000, b"data: " + b"x" * 1000 + b"\n"])
def test_an_event_without_end_is_refused(piece, monkeypatch) -> None:
    monkeypatch.setattr(events, "MOST_MESSAGE", 10_000)

    def endless():
        while True:
            yield piece

    with pytest.raises(WireError, match="longer"):
        list(read_events(endless()))
