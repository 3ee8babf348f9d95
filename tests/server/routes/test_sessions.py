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


@pytest.mark.parametrize("body", [{"sources": "all"}, {"sources": ["../x"]}, {}, {"sources": [], "more": 1}])
def test_sessions_that_cannot_be_are_refused(alice, body):
    assert alice.post("/v1/sessions", json=body).status_code == 400
