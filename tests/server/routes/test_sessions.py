from __future__ import annotations

import pytest
from tests.server.live import register


@pytest.fixture
def session(alice, image):
    source, _ = register(alice, image, (1, 20, 30))
    answer = alice.post("/v1/sessions", json={"sources": [source]})
    assert answer.status_code == 201
    return answer.json()


def test_a_session_lives_while_it_gives_signs_of_life(live, alice, session):
    assert session["idle_s"] == live.config.limits.session_idle
    assert session["dead_s"] == live.config.limits.session_dead
    for active in (True, False):
        assert alice.post(f"/v1/sessions/{session['id']}/beat", json={"active": active}).status_code == 204
    assert alice.delete(f"/v1/sessions/{session['id']}").status_code == 204
    assert alice.post(f"/v1/sessions/{session['id']}/beat", json={"active": True}).status_code in (404, 410)


def test_sessions_of_others_are_not_there(alice, bob, session):
    assert bob.post(f"/v1/sessions/{session['id']}/beat", json={"active": True}).status_code in (404, 410)
    bob.delete(f"/v1/sessions/{session['id']}")
    assert alice.post(f"/v1/sessions/{session['id']}/beat", json={"active": True}).status_code == 204


def test_sources_of_others_cannot_be_held(alice, bob, image):
    source, _ = register(alice, image, (3, 20, 30))
    assert bob.post("/v1/sessions", json={"sources": [source]}).status_code == 404
    name = bob.post("/v1/sessions", json={"sources": []}).json()["id"]
    refused = bob.post(f"/v1/sessions/{name}/sources", json={"sources": [source]})
    missing = bob.post(f"/v1/sessions/{name}/sources", json={"sources": ["0" * len(source)]})
    assert refused.status_code == missing.status_code == 404
    assert refused.text.replace(source, "") == missing.text.replace("0" * len(source), "")


def test_a_session_takes_up_other_sources(live, alice, bob, session, image):
    source, _ = register(alice, image, (2, 20, 30))
    path = f"/v1/sessions/{session['id']}/sources"
    assert alice.post(path, json={"sources": [source]}).status_code == 204
    assert live.services.sources._pins._held[f"session-{session['id']}"] == {source}
    assert bob.post(path, json={"sources": []}).status_code in (404, 410)
    assert alice.post(path, json={"sources": ["../x"]}).status_code == 400
    assert live.services.sources._pins._held[f"session-{session['id']}"] == {source}


def test_a_session_takes_up_what_is_registered_for_it(live, alice, bob, session, image):
    card = {"dtype": "|u1", "shape": [3, 4], "chunks": [3, 4]}
    held = live.services.sources._pins._held[f"session-{session['id']}"]
    before = set(held)
    answer = alice.post("/v1/sources", json={"card": card, "session": session["id"]}).json()
    assert answer["held"]
    assert held == before | {answer["id"]}
    assert not bob.post("/v1/sources", json={"card": card, "session": session["id"]}).json()["held"]
    assert not alice.post("/v1/sources", json={"card": card}).json()["held"]
    alice.delete(f"/v1/sessions/{session['id']}")
    assert not alice.post("/v1/sources", json={"card": card, "session": session["id"]}).json()["held"]
    assert alice.post("/v1/sources", json={"card": card, "session": "../x"}).status_code == 400


@pytest.mark.parametrize("body", [{"sources": "all"}, {"sources": ["../x"]}, {}, {"sources": [], "more": 1}])
def test_sessions_that_cannot_be_are_refused(alice, body):
    assert alice.post("/v1/sessions", json=body).status_code == 400
