"""Known servers in the preferences: addresses and names, never a token."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.serving import TOKEN, Server

from napari_lightbox.errors import AccessError, ConnectionLostError
from napari_lightbox.widgets.places import Places, clean_address, places, read_servers, write_servers
from napari_lightbox.widgets.places import Server as Known

pytestmark = pytest.mark.gui

NAMES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=",=#"), min_size=1, max_size=12)
HOSTS = st.sampled_from(["http://127.0.0.1:8000", "https://lab.example.org", "http://[::1]:9/box", "https://b.example.org:444"])


@given(st.lists(st.builds(Known, HOSTS, NAMES), unique_by=lambda s: s.address))
def test_what_is_written_is_read(servers: list[Known]) -> None:
    assert read_servers(write_servers(servers)) == servers


@pytest.mark.parametrize(
    "address", ["", "lab", "ftp://lab", "http://", "http://u:p@lab", "http://lab:port", "http://[::1", "//lab"]
)
def test_what_is_no_address_is_left_out(address: str) -> None:
    assert clean_address(address) == ""
    assert [s.name for s in read_servers(f"a = {address}, good = http://h:1")] == ["good"]


def test_a_token_typed_into_the_preferences_is_not_taken_over() -> None:
    known = read_servers("lab = http://h:1/#token=secret, http://H:1")
    assert known == [Known("http://h:1", "lab")]
    assert "secret" not in write_servers([Known("http://h:1", "a,b=c#token=secret")]).partition("#")[2]


def test_a_server_is_remembered_across_sessions(viewer: Any, server: Server) -> None:
    from napari.settings import get_plugin_settings

    opened = places().connections.open(f"{server.url}/#token={TOKEN}")
    assert opened.kept
    places().entered(opened, "lab")
    later = Places()
    assert [(s.address, s.name) for s in later.known] == [(server.url, "lab")]
    assert TOKEN not in get_plugin_settings("napari-lightbox").runs.servers
    assert later.runner(server.url) is None
    again = later.connections.open(server.url)
    assert again.runner.cluster()["running"] == 0
    later.entered(again)
    assert later.name(server.url) == "lab"
    later.close()


def test_errors_tell_the_way_out(server: Server) -> None:
    connections = places().connections
    with pytest.raises(AccessError, match="Server dock"):
        connections.open(server.url)
    with pytest.raises(AccessError, match="Server dock"):
        connections.open(server.url, "a-wrong-token-of-some-length")
    assert connections.tokens.get(server.url) == ""
    with pytest.raises(ConnectionLostError, match="cannot be reached"):
        connections.open("http://127.0.0.1:1", TOKEN)
    assert connections.opened(server.url) is None


def test_connecting_twice_makes_one_connection(server: Server) -> None:
    connections = places().connections
    first = connections.open(server.url, TOKEN)
    assert connections.open(server.url) is first
    second = connections.open(server.url, TOKEN)
    assert second.runner is not first.runner
    with pytest.raises(ConnectionLostError):
        first.runner.cluster()
    assert connections.opened(server.url) is second
