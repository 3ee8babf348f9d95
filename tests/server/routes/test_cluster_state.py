from __future__ import annotations

from tests.server.live import layout, order, register, send, submit, volume


def test_it_tells_how_busy_it_is(live, alice, bob, image):
    send(bob, image, (1, 20, 30))
    source, _ = register(alice, image + 1, (1, 20, 30), lazy=True)
    job = submit(alice, order("invert_intensity", volume(source, image, "zyx")))
    layout(alice, job)
    try:
        told = alice.get("/v1/cluster").json()
    finally:
        alice.delete(f"/v1/jobs/{job}")
    assert told["running"] + told["queued"] >= 1
    assert isinstance(told["workers"], list)
    assert told["disk"]["free"] > 0


def test_what_others_store_is_told_to_the_admin_alone(live, alice, bob, image):
    send(bob, image, (1, 20, 30))
    assert set(alice.get("/v1/cluster").json()["disk"]["used"]) == {"alice"}
    with live.client("admin") as admin:
        assert admin.get("/v1/cluster").json()["disk"]["used"]["bob"] >= image.nbytes
