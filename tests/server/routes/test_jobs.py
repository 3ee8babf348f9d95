from __future__ import annotations

import json

import numpy as np
import pytest
from tests.server.live import array_id, finish, inverted, layout, order, push, register, send, submit, volume

from napari_lightbox.errors import BusyError, NotFoundError
from napari_lightbox.wire import decode_error

CHUNKS = (1, 16, 16)
CARD = {"id", "technique", "status", "fraction", "message", "created", "priority", "lease_until", "error"}


def layout_error(client, job):
    return client.get(f"/v1/jobs/{job}/outputs").json()["error"]


@pytest.fixture
def waiting(alice, image):
    """A job that waits for chunks which nobody sends."""
    source, _ = register(alice, image, CHUNKS, lazy=True)
    job = submit(alice, order("invert_intensity", volume(source, image, "zyx")))
    layout(alice, job)
    yield source, job
    alice.delete(f"/v1/jobs/{job}")


def test_a_job_from_its_order_to_its_outputs(alice, image):
    job = submit(alice, order("threshold_otsu", volume(send(alice, image, CHUNKS), image, "zyx")), priority=3)
    card = finish(alice, job)
    assert set(card) == CARD
    assert (card["id"], card["technique"], card["status"], card["priority"]) == (job, "threshold_otsu", "done", 3)
    assert card["fraction"] == 1
    told = layout(alice, job)
    assert told["complete"] is True
    assert told["preview"] is False
    assert list(told["outputs"]) == ["labels", "threshold"]
    assert told["outputs"]["labels"]["role"] == "labels"
    assert told["outputs"]["threshold"] == pytest.approx(np.median(image), rel=0.2)
    assert told["provenance"]["technique"] == "threshold_otsu"


def test_the_same_key_is_the_same_job(live, alice, bob, image):
    request = order("invert_intensity", volume(send(alice, image, CHUNKS), image, "zyx"))
    first = submit(alice, request, key="once")
    assert submit(alice, request, key="once") == first
    assert submit(alice, request, key="twice") != first
    send(bob, image, CHUNKS)
    assert submit(bob, request, key="once") != first


def test_jobs_are_listed_for_their_owner_and_for_the_admin(live, alice, bob, image):
    mine, _ = inverted(alice, image, CHUNKS, "zyx")
    theirs, _ = inverted(bob, image, CHUNKS, "zyx")
    with live.client("admin") as admin:
        listed = {name: {card["id"] for card in c.get("/v1/jobs").json()["jobs"]} for name, c in
                  (("alice", alice), ("bob", bob), ("admin", admin))}  # fmt: skip
        assert admin.get(f"/v1/jobs/{mine}").json()["id"] == mine
    assert mine in listed["alice"] - listed["bob"]
    assert theirs in listed["bob"] - listed["alice"]
    assert {mine, theirs} <= listed["admin"]


def test_the_newest_jobs_and_how_many_older_ones_there_are(live, alice, image):
    made = [inverted(alice, image + n, CHUNKS, "zyx")[0] for n in range(3)]
    every = alice.get("/v1/jobs").json()
    assert every["older"] == 0
    assert [card["id"] for card in every["jobs"]][-3:] == made
    two = alice.get("/v1/jobs?most=2").json()
    finished = [card["id"] for card in two["jobs"] if card["status"] in ("done", "failed", "cancelled")]
    assert finished == made[1:]
    assert two["older"] == len(every["jobs"]) - len(two["jobs"])


@pytest.mark.parametrize("most", ["0", "-1", "1e3", "x", "", str(10**30)])
def test_how_many_jobs_nobody_can_ask_for(alice, most):
    assert alice.get(f"/v1/jobs?most={most}").status_code in (400, 422)


def test_jobs_of_others_are_not_there(alice, bob, image):
    job, array = inverted(alice, image, CHUNKS, "zyx")
    answers = [
        bob.get(f"/v1/jobs/{job}"),
        bob.post(f"/v1/jobs/{job}/cancel"),
        bob.delete(f"/v1/jobs/{job}"),
        bob.post(f"/v1/jobs/{job}/keep"),
        bob.post(f"/v1/jobs/{job}/first", json={"region": [[0, 1], [0, 8], [0, 8]]}),
        bob.get(f"/v1/jobs/{job}/outputs"),
        bob.get(f"/v1/jobs/{job}/events"),
        bob.get(f"/v1/jobs/{job}/picture.png"),
        bob.get(f"/v1/arrays/{array}/card"),
        bob.get(f"/v1/arrays/{array}/zarr.json"),
        bob.get(f"/v1/arrays/{array}/c/0/0/0"),
    ]
    for answer in answers:
        assert answer.status_code == 404, answer.url
        assert isinstance(decode_error(answer.json()), NotFoundError)
    assert alice.get(f"/v1/jobs/{job}").json()["status"] == "done"


def test_a_result_is_the_input_of_the_next_job(alice, bob, image):
    _, array = inverted(alice, image, CHUNKS, "zyx")
    value = volume("", image, "zyx") | {"data": f"array:{array}"}
    job = submit(alice, order("invert_intensity", value))
    assert finish(alice, job)["status"] == "done"
    back = array_id(layout(alice, job))
    stored = np.frombuffer(alice.get(f"/v1/arrays/{back}/c/0/0/0").content, np.uint16).reshape(CHUNKS)
    np.testing.assert_array_equal(stored, image[:1, :16, :16])
    answer = bob.post("/v1/jobs", json={"request": order("invert_intensity", value)})
    assert answer.status_code == 404


def test_cancel_reaches_a_job_that_waits(alice, waiting):
    _, job = waiting
    alice.post(f"/v1/jobs/{job}/cancel")
    card = finish(alice, job)
    assert card["status"] == "cancelled"
    assert layout_error(alice, job) == "CancelledError"


def test_outputs_before_the_end(alice, image, waiting):
    source, job = waiting
    told = layout(alice, job)
    assert told["complete"] is False
    push(alice, source, image, CHUNKS)
    assert finish(alice, job)["status"] == "done"
    assert layout(alice, job)["complete"] is True


def test_outputs_before_the_layout_are_a_matter_of_waiting(live, alice, image, waiting, monkeypatch):
    def busy(job_id):
        raise BusyError("outputs", "are not known yet", "Ask again")

    monkeypatch.setattr(live.services.queue, "outputs", busy)
    for path in ("outputs", "picture.png"):
        answer = alice.get(f"/v1/jobs/{waiting[1]}/{path}")
        assert answer.status_code == 409
        assert answer.headers["retry-after"] == "1"
        assert isinstance(decode_error(answer.json()), BusyError)


def test_a_deleted_job_is_gone_with_its_arrays(alice, image):
    job, array = inverted(alice, image, CHUNKS, "zyx")
    assert alice.delete(f"/v1/jobs/{job}").status_code == 204
    assert alice.get(f"/v1/jobs/{job}").status_code in (404, 410)
    assert alice.get(f"/v1/arrays/{array}/c/0/0/0").status_code in (404, 410)


def test_keep_renews_the_lease(alice, image):
    job, _ = inverted(alice, image, CHUNKS, "zyx")
    before = alice.get(f"/v1/jobs/{job}").json()["lease_until"]
    after = alice.post(f"/v1/jobs/{job}/keep").json()["lease_until"]
    assert after >= before


def test_wishes_are_handed_on(live, alice, waiting, monkeypatch):
    heard = []
    monkeypatch.setattr(live.services.wishes, "first", lambda job, region: heard.append((job, region)))
    region = [[2, 3], [0, 20], [16, 30]]
    assert alice.post(f"/v1/jobs/{waiting[1]}/first", json={"region": region}).status_code == 204
    assert [(job, [list(pair) for pair in region]) for job, region in heard] == [(waiting[1], region)]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"technique": "gausian_blur"}, 404, "gaussian_blur"),
        ({"parameters": {"sigma": -1}}, 422, "out of range"),
        ({"parameters": {"width": 1}}, 422, "is not a parameter"),
        ({"parameters": {"sigma": {"kind": "number", "value": "much"}}}, 400, "number that is none"),
        ({"inputs": [{"kind": "array", "data": "/etc/passwd"}]}, 400, "inputs"),
        ({"inputs": [{"kind": "array", "data": "source:" + "0" * 32}]}, 404, "not there"),
        ({"inputs": [{"kind": "pickle", "data": "source:" + "0" * 32}]}, 400, "inputs"),
        ({"region": [[-1, 2]]}, 400, "region"),
        ({"over": "Ü"}, 400, "over"),
        ({"preview": "yes"}, 400, "preview"),
        ({"more": 1}, 400, "more"),
    ],
)
def test_orders_that_cannot_be_are_refused(alice, image, change, status, words):
    request = order("gaussian_blur", volume(send(alice, image, CHUNKS), image, "zyx"))
    answer = alice.post("/v1/jobs", json={"request": request | change})
    assert answer.status_code == status, answer.text
    assert words in json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.parametrize("change", [{"priority": 10}, {"priority": True}, {"first": [[1]]}, {"key": "a b"}, {"key": "k" * 65}])
def test_envelopes_that_cannot_be_are_refused(alice, image, change):
    request = order("gaussian_blur", volume(send(alice, image, CHUNKS), image, "zyx"))
    assert alice.post("/v1/jobs", json={"request": request} | change).status_code == 400


def test_geometry_that_cannot_be_is_refused(alice, image):
    value = volume(send(alice, image, CHUNKS), image, "zyx")
    for change in ({"affine": [[1, 0], [0]]}, {"affine": [[0.0]]}, {"axes": "zzx"}, {"units": []}, {"shape": [1]}):
        geometry = value["geometry"] | change
        answer = alice.post("/v1/jobs", json={"request": order("gaussian_blur", value | {"geometry": geometry})})
        assert answer.status_code in (400, 422) or change == {"units": []}, change


def test_it_is_written_down_who_did_what(live, alice, image):
    job, _ = inverted(alice, image, CHUNKS, "zyx")
    alice.delete(f"/v1/jobs/{job}")
    lines = [line for line in live.audit() if line.get("job") == job]
    assert [line["event"] for line in lines if line["event"] != "finished"] == ["submitted", "deleted"]
    for line in lines:
        assert (line["owner"], line["technique"]) == ("alice", "invert_intensity")
    assert lines[0]["address"] == "127.0.0.1"
