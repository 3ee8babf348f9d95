"""Forms: every parameter of every technique can be shown, read back and reset."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pytest

from napari_lightbox.contract import Advanced, PerAxis, Pointwise, Range, Unit, VisibleIf, registry, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import ParameterError

pytestmark = pytest.mark.gui


@technique("form_example", title="Example", locality=Pointwise(), family="test")
def form_example(
    image: Image,
    *,
    mode: Literal["one_way", "other"] = "one_way",
    strength: Annotated[float, Range(0, 1e6), VisibleIf("mode", "other")] = 1e-5,
    width: Annotated[float | tuple[float, ...], PerAxis(), Unit("physical"), Range(0, 100)] = 2.0,
    level: Annotated[float | None, Unit("intensity")] = None,
    ranges: tuple[tuple[float, float], ...] = ((0.0, 1.0),),
    ids: tuple[int, ...] = (1, 2),
    big: Annotated[int, Range(0, 2**40), Advanced()] = 2**33,
    keep: bool = True,
) -> Image:
    """Do nothing.

    Parameters
    ----------
    image
        Any.
    strength
        How strong.
    """
    return image


@pytest.fixture
def form(qtbot: Any) -> Any:
    from napari_lightbox.widgets.form import Form

    made = Form(form_example.technique)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("found", registry.find(), ids=lambda t: t.id)
def test_defaults_survive_the_form(found: Any, qtbot: Any) -> None:
    from napari_lightbox.widgets.form import Form

    form = Form(found)
    qtbot.addWidget(form)
    assert form.values() == found.complete({})


def test_values_go_in_and_out(form: Any) -> None:
    values = {
        "mode": "other",
        "strength": 3e-7,
        "width": (3.0, 1.0, 0.5),
        "level": 12.5,
        "ids": (4, 9),
        "big": 2**40,
        "keep": False,
    }
    form.set_values(values | {"ranges": ((0.0, 2.0), (5.0, 6.5))})
    assert form.values() == values | {"ranges": ((0.0, 2.0), (5.0, 6.5))}
    form.reset()
    assert form.values() == form_example.technique.complete({})


@pytest.mark.parametrize(("text", "expected"), [("1, 2", (1, 2)), ("[3, 4]", (3, 4)), ("(5,)", (5,)), ("", ())])
def test_lists_are_read_as_people_write_them(form: Any, text: str, expected: tuple[int, ...]) -> None:
    form.fields["ids"].line.setText(text)
    assert form.values()["ids"] == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("(1, 2)", ((1, 2),)), ("(1, 2), (3, 4)", ((1, 2), (3, 4))), ("((1, 2), (3, 4))", ((1, 2), (3, 4)))]
)
def test_lists_of_pairs(form: Any, text: str, expected: Any) -> None:
    form.fields["ranges"].line.setText(text)
    assert form.values()["ranges"] == expected


def test_a_bad_list_says_what_to_write(form: Any) -> None:
    form.fields["ids"].line.setText("1; 2")
    with pytest.raises(ParameterError, match="separated by commas"):
        form.values()


def test_rows_appear_when_they_matter(form: Any) -> None:
    assert form.fields["strength"].isHidden()
    form.set_values({"mode": "other"})
    assert not form.fields["strength"].isHidden()


def test_advanced_rows_are_folded(form: Any) -> None:
    assert form.advanced.content.isHidden()
    form.advanced.open()
    assert not form.advanced.content.isHidden()


def test_units_and_axes(form: Any) -> None:
    width = form.fields["width"]
    form.set_length_unit("mm")
    assert width.one.suffix() == " mm"
    form.set_axes("yx")
    width.split.setChecked(True)
    assert form.values()["width"] == (2.0, 2.0)
    form.set_axes("zyx")
    assert form.values()["width"] == (2.0, 2.0, 2.0)


def test_small_and_large_numbers_are_shown_whole(form: Any) -> None:
    assert form.fields["strength"].spin.text() == "1e-05"
    assert form.fields["big"].spin.text() == str(2**33)


def test_typing_a_number_changes_the_value(form: Any, qtbot: Any) -> None:
    spin = form.fields["strength"].spin
    form.set_values({"mode": "other"})
    form.show()
    with qtbot.waitSignal(form.changed):
        spin.lineEdit().selectAll()
        qtbot.keyClicks(spin.lineEdit(), "2.5e-3")
        spin.lineEdit().returnPressed.emit()
        spin.editingFinished.emit()
        spin.clearFocus()
        spin.interpretText()
    assert form.values()["strength"] == 2.5e-3


def test_tooltips_tell_meaning_and_bounds(form: Any) -> None:
    tip = form.fields["strength"].toolTip()
    assert "How strong." in tip
    assert "From 0 to 1e+06." in tip
    assert "estimated from the data" in form.fields["level"].toolTip()


def test_numpy_is_not_needed_to_show_numbers(form: Any) -> None:
    assert not any(isinstance(v, np.generic) for v in form.values().values())
