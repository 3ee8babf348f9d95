from __future__ import annotations

import json

import pytest

from napari_lightbox.contract import registry
from napari_lightbox.contract.schema import describe, parameter_schema
from napari_lightbox.wire import decode_error


def strict(text):
    def refuse(word):
        raise AssertionError(f"{word} is no JSON for a browser")

    return json.loads(text, parse_constant=refuse)


def test_all_contracts_are_told(alice):
    told = strict(alice.get("/v1/techniques").text)["techniques"]
    assert [t["id"] for t in told] == [t.id for t in registry.find()]


def test_one_contract(alice):
    told = alice.get("/v1/techniques/gaussian_blur").json()
    assert told == json.loads(json.dumps(describe(registry.get("gaussian_blur"))))


def test_an_unknown_one_is_named_with_its_neighbours(alice):
    answer = alice.get("/v1/techniques/gausian_blur")
    assert answer.status_code == 404
    assert "gaussian_blur" in decode_error(answer.json()).way_out


@pytest.fixture(scope="module")
def document(live):
    with live.client() as client:
        return strict(client.get("/v1/openapi.json").text)


def test_the_document_holds_the_parameters_of_every_technique(document):
    schemas = document["components"]["schemas"]
    for technique in registry.find():
        assert schemas[f"parameters.{technique.id}"] == json.loads(json.dumps(parameter_schema(technique)))
    rules = {rule["if"]["properties"]["technique"]["const"]: rule["then"] for rule in schemas["RequestOrder"]["allOf"]}
    reference = rules["gaussian_blur"]["properties"]["parameters"]["$ref"]
    assert reference == "#/components/schemas/parameters.gaussian_blur"
    assert set(rules) == {t.id for t in registry.find()}


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert {"jobs_submit", "jobs_cancel", "sources_put_chunk", "arrays_chunk", "greeting_read"} <= set(names)


def test_the_document_speaks_of_every_address_of_the_protocol(document):
    assert {
        "/v1/greeting",
        "/v1/techniques",
        "/v1/techniques/{technique_id}",
        "/v1/sources",
        "/v1/sources/{source_id}",
        "/v1/sources/{source_id}/chunks",
        "/v1/sources/{source_id}/chunks/{n}",
        "/v1/sources/{source_id}/known",
        "/v1/references",
        "/v1/jobs",
        "/v1/jobs/{job_id}",
        "/v1/jobs/{job_id}/cancel",
        "/v1/jobs/{job_id}/keep",
        "/v1/jobs/{job_id}/first",
        "/v1/jobs/{job_id}/events",
        "/v1/jobs/{job_id}/outputs",
        "/v1/jobs/{job_id}/picture.png",
        "/v1/arrays/{array_id}/card",
        "/v1/arrays/{array_id}/zarr.json",
        "/v1/arrays/{array_id}/c/{key}",
        "/v1/cluster",
        "/v1/sessions",
        "/v1/sessions/{session_id}",
        "/v1/sessions/{session_id}/beat",
        "/v1/sessions/{session_id}/sources",
    } <= set(document["paths"])


def test_there_are_no_pages_that_load_from_elsewhere(alice):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert alice.get(path).status_code == 404
