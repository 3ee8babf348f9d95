from __future__ import annotations

import pytest

import napari_lightbox as lb
from napari_lightbox.errors import VersionError
from napari_lightbox.wire import Greeting, decode_error


def test_it_greets_without_a_token(live):
    import httpx

    answer = httpx.get(f"{live.url}/v1/greeting", trust_env=False)
    assert answer.status_code == 200
    assert Greeting.from_json(answer.json()) == Greeting(lb.__version__)


@pytest.mark.parametrize("protocol", ["2", "0", "99999", "one", "-1", "1 1", "\u00b9", ""])
@pytest.mark.parametrize("path", ["/v1/greeting", "/v1/jobs"])
def test_another_protocol_is_refused_with_the_way_out(alice, path, protocol):
    headers = {"Lightbox-Protocol": protocol.encode("utf-8"), "Lightbox-Version": "9.9"}
    answer = alice.get(path, headers=headers)
    assert answer.status_code == 426
    error = decode_error(answer.json())
    assert isinstance(error, VersionError)
    assert "Update" in error.way_out


def test_the_words_are_those_of_the_client(alice):
    newer = decode_error(alice.get("/v1/jobs", headers={"Lightbox-Protocol": "2"}).json())
    older = decode_error(alice.get("/v1/jobs", headers={"Lightbox-Protocol": "0"}).json())
    assert newer.way_out == "Update napari-lightbox there"
    assert older.way_out == "Update napari-lightbox here"


def test_no_protocol_is_no_fault(live):
    import httpx
    from tests.server.live import TOKENS

    answer = httpx.get(f"{live.url}/v1/jobs", headers={"Authorization": f"bearer {TOKENS['bob']}"}, trust_env=False)
    assert answer.status_code == 200


def test_every_answer_is_guarded(live, alice):
    for answer in (alice.get("/"), alice.get("/v1/jobs"), alice.get("/nothing"), alice.get("/v1/jobs", headers={"Host": "evil"})):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
