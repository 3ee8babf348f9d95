"""Inputs as clients send them: volumes, tables, points and their kin, with references in place of arrays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from napari_lightbox.wire.protocol import MOST_AXES

ID = r"^[0-9A-Za-z_-]{1,64}$"
LONGEST_TEXT = 4096
_MOST_ITEMS, _MOST_SHAPES = 10_000, 1_000_000


class ArrayName(str):
    """The name of an array: where it is kept, and its id there."""

    __slots__ = ()


Reference = Annotated[str, Field(pattern=r"^(source|reference|array):[0-9A-Za-z_-]{1,64}$"), AfterValidator(ArrayName)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Word = Annotated[str, Field(max_length=256)]
Whole = Annotated[int, Field(ge=0, lt=2**53)]
Number = int | float
Matrix = Annotated[list[Annotated[list[Number], Field(max_length=MOST_AXES + 1)]], Field(max_length=MOST_AXES + 1)]


class Part(BaseModel):
    """A part of an input: exact types, nothing unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class GeometryPart(Part):
    """Where an array lies."""

    axes: Annotated[str, Field(pattern=r"^[a-z]{0,16}$")]
    shape: Annotated[list[Whole], Field(max_length=MOST_AXES)]
    affine: Matrix
    units: Annotated[list[Word], Field(max_length=MOST_AXES)]


class VolumeValue(Part):
    """A volume."""

    kind: Literal["volume"]
    data: Reference
    geometry: GeometryPart
    role: Literal["image", "labels"]
    name: Word
    metadata: dict[str, Any] = {}


class TextsPart(Part):
    """A column of texts."""

    texts: list[Text]


class TableValue(Part):
    """A table."""

    kind: Literal["table"]
    columns: dict[Word, Reference | TextsPart]
    units: dict[Word, Word]


class PointsValue(Part):
    """Points."""

    kind: Literal["points"]
    data: Reference
    features: TableValue | None


class ShapesValue(Part):
    """Shapes."""

    kind: Literal["shapes"]
    data: Reference | Annotated[list[Reference], Field(max_length=_MOST_ITEMS)]
    counts: Annotated[list[Whole], Field(max_length=_MOST_SHAPES)] = []
    kinds: Annotated[list[Word], Field(max_length=_MOST_SHAPES)]
    features: TableValue | None


class VectorsValue(Part):
    """Vectors."""

    kind: Literal["vectors"]
    data: Reference


class SurfaceValue(Part):
    """A mesh."""

    kind: Literal["surface"]
    vertices: Reference
    faces: Reference
    values: Reference | None


class TransformValue(Part):
    """A transform."""

    kind: Literal["transform"]
    matrix: Matrix
    field: Reference | None
    grid: GeometryPart | None


class ModelValue(Part):
    """A trained model."""

    kind: Literal["model"]
    card: dict[str, Any]
    arrays: dict[Word, Reference]


class ArrayValue(Part):
    """A bare array."""

    kind: Literal["array"]
    data: Reference


class NumberValue(Part):
    """A number that JSON has no word for."""

    kind: Literal["number"]
    value: Literal["inf", "-inf", "nan"]


class ListValue(Part):
    """Several values."""

    kind: Literal["list"]
    items: Annotated[list[Value], Field(max_length=_MOST_ITEMS)]


Structure = Annotated[
    VolumeValue
    | TableValue
    | PointsValue
    | ShapesValue
    | VectorsValue
    | SurfaceValue
    | TransformValue
    | ModelValue
    | ArrayValue
    | NumberValue
    | ListValue,
    Field(discriminator="kind"),
]
Value = Structure | Number | bool | Text | None
ListValue.model_rebuild()
