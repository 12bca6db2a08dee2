import enum
import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from realtime.wire.invalid_field import Fault, InvalidField, invalid_field, invalid_json_field, unsupported_value

Short = Annotated[str, Meta(max_length=3)]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Line(msgspec.Struct, tag="line", tag_field="type"):
    width: Annotated[int, Meta(ge=1, le=9)] = 1


class Area(msgspec.Struct, tag="area", tag_field="type"):
    colour: Colour = Colour.RED


class Paper(msgspec.Struct):
    title: Annotated[str, Meta(min_length=1, max_length=8)]
    figures: Annotated[list[Line | Area], Meta(max_length=2)] = []
    size: Literal["a4", "a5"] | None = None
    pages: Annotated[int, Meta(ge=1)] | Literal["all"] = "all"
    rotation: Literal[0, 90] = 0
    scale: Annotated[float, Meta(ge=0.5, le=2)] | None = None
    printed: bool = False
    image: bytes = b""
    labels: Annotated[dict[Short, Short], Meta(max_length=2)] = {}
    notes: dict[Short, Any] = {}
    layers: dict[str, Literal["on", "off"]] = {}
    sheets: dict[str, Annotated[int, Meta(ge=1, le=9)]] = {}
    owner: str | Line | None = None


def explained(**fields: Any) -> InvalidField:
    """Explain why a paper with these fields is none."""
    text = json.dumps({"title": "Map", **fields})
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=Paper)
    return invalid_json_field(caught.value, Paper, text)


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"title": 5}, "title", "Invalid type for 'title': expected a string, but got an integer instead."),
        ({"title": None}, "title", "Invalid type for 'title': expected a string, but got null instead."),
        ({"size": []}, "size", "Invalid type for 'size': expected one of 'a4' or 'a5', but got an array instead."),
        (
            {"pages": 1.5},
            "pages",
            "Invalid type for 'pages': expected one of an integer or 'all', but got a decimal instead.",
        ),
        (
            {"scale": "big"},
            "scale",
            "Invalid type for 'scale': expected a number from 0.5 to 2, but got a string instead.",
        ),
        ({"printed": 1}, "printed", "Invalid type for 'printed': expected a boolean, but got an integer instead."),
        ({"image": {}}, "image", "Invalid type for 'image': expected a string, but got an object instead."),
        ({"notes": True}, "notes", "Invalid type for 'notes': expected an object, but got a boolean instead."),
        ({"figures": {}}, "figures", "Invalid type for 'figures': expected an array, but got an object instead."),
        (
            {"owner": 1},
            "owner",
            "Invalid type for 'owner': expected one of a string or an object, but got an integer instead.",
        ),
        (
            {"labels": {"a": 1}},
            "labels.a",
            "Invalid type for 'labels.a': expected a string, but got an integer instead.",
        ),
        (
            {"figures": [{"type": "line"}, {"type": "area", "colour": 3}]},
            "figures[1].colour",
            "Invalid type for 'figures[1].colour': expected one of 'red' or 'blue', but got an integer instead.",
        ),
    ],
)
def test_a_value_of_another_type_is_told_from_those_that_are_taken(fields: Any, path: str, message: str) -> None:
    assert explained(**fields) == InvalidField(path, Fault.TYPE, message)


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"size": "a3"}, "size", "Invalid value: 'a3'. Supported values are: 'a4' and 'a5'."),
        ({"rotation": 45}, "rotation", "Invalid value: 45. Supported values are: 0 and 90."),
        ({"pages": "none"}, "pages", "Invalid value: 'none'. Supported values are: an integer and 'all'."),
        (
            {"figures": [{"type": "dot"}]},
            "figures[0].type",
            "Invalid value: 'dot'. Supported values are: 'line' and 'area'.",
        ),
        (
            {"figures": [{"type": "area", "colour": "green"}]},
            "figures[0].colour",
            "Invalid value: 'green'. Supported values are: 'red' and 'blue'.",
        ),
        (
            {"figures": [{"type": "line", "width": 10}]},
            "figures[0].width",
            "Invalid 'figures[0].width': integer above maximum value. Expected a value <= 9, but got 10 instead.",
        ),
        (
            {"scale": 0.1},
            "scale",
            "Invalid 'scale': decimal below minimum value. Expected a value >= 0.5, but got 0.1 instead.",
        ),
        (
            {"title": ""},
            "title",
            "Invalid 'title': string too short. Expected a string with minimum length 1, but got a string with length "
            "0 instead.",
        ),
        (
            {"title": "x" * 9},
            "title",
            "Invalid 'title': string too long. Expected a string with maximum length 8, but got a string with length "
            "9 instead.",
        ),
        (
            {"figures": [{"type": "line"}] * 3},
            "figures",
            "Invalid 'figures': array too long. Expected an array with maximum length 2, but got an array with length "
            "3 instead.",
        ),
        (
            {"labels": {"a": "", "b": "", "c": ""}},
            "labels",
            "Invalid 'labels': too many properties. Expected an object with at most 2 properties, but got an object "
            "with 3 properties instead.",
        ),
        (
            {"labels": {"a": "", "abcd": ""}},
            "labels",
            "Invalid key in 'labels': string too long. Expected a string with maximum length 3, but got a string with "
            "length 4 instead.",
        ),
        (
            {"notes": {"a": 1, "abcd": 2}},
            "notes",
            "Invalid key in 'notes': string too long. Expected a string with maximum length 3, but got a string with "
            "length 4 instead.",
        ),
        (
            {"sheets": {"north": 1, "south": 0}},
            "sheets.south",
            "Invalid 'sheets.south': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        ),
        (
            {"layers": {"roads": "on", "rails": "dim"}},
            "layers.rails",
            "Invalid value: 'dim'. Supported values are: 'off' and 'on'.",
        ),
        ({"image": "%"}, "image", "Invalid 'image': expected base64-encoded bytes, but got an invalid value instead."),
        ({"scale": float("inf")}, "scale", "Invalid value for 'scale'."),
        ({"size": "x" * 70}, "size", f"Invalid value: '{'x' * 64}…'. Supported values are: 'a4' and 'a5'."),
    ],
)
def test_a_value_that_is_not_taken_is_told_with_those_that_are(fields: Any, path: str, message: str) -> None:
    text = json.dumps({"title": "Map", **fields}).replace("Infinity", "1e999")
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=Paper)
    assert invalid_json_field(caught.value, Paper, text) == InvalidField(path, Fault.VALUE, message)


def test_a_field_that_is_missing_is_named_with_its_place() -> None:
    missing = explained(figures=[{"width": 1}])
    assert missing == InvalidField("figures[0].type", Fault.MISSING, "Missing required parameter: 'figures[0].type'.")


def test_a_message_that_is_no_object_has_no_path() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert([], Paper)
    message = "Invalid type: expected an object, but got an array instead."
    assert invalid_field(caught.value, Paper, []) == InvalidField("", Fault.TYPE, message)


def test_text_that_cannot_be_read_as_a_number_is_of_another_type() -> None:
    value = {"title": "Map", "scale": "big"}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, Paper, strict=False)
    assert invalid_field(caught.value, Paper, value).fault is Fault.TYPE


def test_a_message_that_is_nested_too_deeply_is_not_explained() -> None:
    text = "[" * 100_000
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=Paper)
    assert invalid_json_field(caught.value, Paper, text) == InvalidField("", Fault.VALUE, "The message is invalid.")


def test_a_fault_that_is_not_found_is_not_explained() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"title": "Map", "labels": {"abcd": ""}}, Paper)
    unexplained = invalid_field(caught.value, Paper, {"title": "Map", "labels": {"abc": ""}})
    assert unexplained == InvalidField("labels", Fault.VALUE, "Invalid value for 'labels'.")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"title": "Map", "owner": {"type": "line", "width": 0}, "owner": "me"}', "owner.width"),
        ('{"title": "Map", "figures": [{"type": "line", "width": 0}], "figures": []}', "figures[0].width"),
        ('{"title": "Map", "figures": [{"type": "line", "width": 0}], "figures": {}}', "figures[0].width"),
    ],
)
def test_a_fault_in_the_first_value_of_a_key_that_is_there_twice_is_not_explained(text: str, path: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=Paper)
    unexplained = InvalidField(path, Fault.VALUE, f"Invalid value for '{path}'.")
    assert invalid_json_field(caught.value, Paper, text) == unexplained


def test_a_fault_beside_bytes_that_are_no_text_is_not_explained() -> None:
    text = b'{"title": 5, "other": "\xff"}'
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=Paper)
    unexplained = InvalidField("title", Fault.VALUE, "Invalid value for 'title'.")
    assert invalid_json_field(caught.value, Paper, text) == unexplained


def test_choices_are_listed_as_in_a_sentence() -> None:
    assert unsupported_value("x", ["a"]) == "Invalid value: 'x'. Supported values are: 'a'."
    assert unsupported_value("x", ["a", "b", "c"]) == "Invalid value: 'x'. Supported values are: 'a', 'b', and 'c'."
