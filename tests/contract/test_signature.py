"""Declarations are read into inputs, parameters and outputs, and nonsense is refused at once."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
import pytest

from napari_lightbox.contract import (
    Halo,
    Odd,
    OnlyIf,
    PerAxis,
    Pointwise,
    Range,
    Registry,
    Spacing,
    Unit,
    VisibleIf,
    describe,
    technique,
)
from napari_lightbox.contract.roles import Image, Mask, Reference, Seeds, Value
from napari_lightbox.errors import ContractError, ParameterError


class Both(NamedTuple):
    image: Image
    weight: Annotated[Image, OnlyIf("full")] | None
    level: Value


@technique("probe", title="Probe", family="test", locality=Halo(lambda p, e: int(p["size"]) * e.ndim))
def probe(
    image: Image,
    seeds: Seeds,
    template: Reference | None = None,
    mask: Mask | None = None,
    *,
    size: Annotated[int, Odd(), Range(1, 9), Unit("px")] = 3,
    sigma: Annotated[float | tuple[float, ...] | None, PerAxis(), Range(0, None)] = None,
    mode: Literal["a", "b"] = "a",
    full: Annotated[bool, VisibleIf("mode", "b")] = False,
    bands: tuple[tuple[str, float], ...] = (("air", -900.0),),
    levels: tuple[float, ...] = (1.0,),
    spacing: Spacing = (1.0, 1.0),
) -> Both:
    """Probe the contract.

    Says when.

    Parameters
    ----------
    size
        Width of it.
    sigma, mode
        Shared
        help.
    """
    return Both(image, None, 0.0)


PROBE = probe.technique


def test_inputs_outputs_and_injected() -> None:
    assert [(i.name, i.role.name, i.optional, i.role.aligned) for i in PROBE.inputs] == [
        ("image", "image", False, True),
        ("seeds", "seeds", False, True),
        ("template", "image", True, False),
        ("mask", "mask", True, True),
    ]
    assert [o.name for o in PROBE.outputs] == ["image", "weight", "level"]
    assert PROBE.outputs[1].present({"full": True})
    assert not PROBE.outputs[1].present({"full": False})
    assert PROBE.injected == {"spacing"}
    assert PROBE.documentation.parameters["mode"] == "Shared help."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"size": 5.0}, ("size", 5)),
        ({"size": np.int64(7)}, ("size", 7)),
        ({"sigma": [1, 2]}, ("sigma", (1.0, 2.0))),
        ({"sigma": np.array([1, 2])}, ("sigma", (1.0, 2.0))),
        ({"sigma": 2}, ("sigma", 2.0)),
        ({"levels": [1, 2]}, ("levels", (1.0, 2.0))),
        ({"bands": [["fat", -100.0]]}, ("bands", (("fat", -100.0),))),
    ],
)
def test_values_are_converted(given: dict, expected: tuple) -> None:
    assert PROBE.complete(given)[expected[0]] == expected[1]


@pytest.mark.parametrize(
    ("given", "mention"),
    [
        ({"size": 4}, "even"),
        ({"size": 11}, "from 1 to 9"),
        ({"size": 2.5}, "whole number"),
        ({"size": True}, "whole number"),
        ({"size": None}, "None"),
        ({"sigma": -0.1}, "at least 0"),
        ({"sigma": float("nan")}, "out of range"),
        ({"sigma": "wide"}, "number"),
        ({"mode": "c"}, "'a', 'b'"),
        ({"full": 1}, "True or False"),
        ({"levels": "12"}, "list"),
        ({"colour": 1}, "size, sigma"),
    ],
)
def test_wrong_values_are_refused(given: dict, mention: str) -> None:
    with pytest.raises(ParameterError, match=mention):
        PROBE.complete(given)


def test_schema_tells_everything() -> None:
    schema = describe(PROBE)
    size = schema["parameters"]["properties"]["size"]
    assert (size["minimum"], size["maximum"], size["x-unit"], size["description"]) == (1, 9, "px", "Width of it.")
    assert schema["parameters"]["properties"]["mode"]["enum"] == ["a", "b"]
    assert schema["parameters"]["properties"]["full"]["x-visible-if"] == {"mode": ["b"]}


def test_the_registry_refuses_doubles_and_undoes() -> None:
    fresh = Registry()
    undo = fresh.add(PROBE)

    @technique("probe", title="Other", family="test", locality=Pointwise())
    def other(image: Image) -> Image:
        """Do something else.

        Never.
        """
        return image

    with pytest.raises(ContractError, match="declared by"):
        fresh.add(other.technique)
    undo()
    fresh.add(other.technique)


def _no_role(image: np.ndarray) -> Image:
    """Lack a role."""
    return image


def _no_return(image: Image):
    """Lack a result."""
    return image


def _odd_type(image: Image, *, how: dict = {}) -> Image:  # noqa: B006
    """Take a dictionary."""
    return image


@pytest.mark.parametrize("function", [_no_role, _no_return, _odd_type])
def test_broken_declarations_fail_when_registered(function) -> None:
    declared = technique("broken", title="Broken", family="test", locality=Pointwise())(function)
    with pytest.raises(ContractError, match="broken"):
        Registry().add(declared.technique)


def test_a_docstring_is_required() -> None:
    def silent(image: Image) -> Image:
        return image

    with pytest.raises(ContractError, match="docstring"):
        technique("silent", title="Silent", family="test", locality=Pointwise())(silent)
