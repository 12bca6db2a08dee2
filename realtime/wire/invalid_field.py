"""What is wrong with a message that does not fit its msgspec type, in the words of OpenAI's API.

msgspec says which field is wrong, but calls types by their names in Python. So the type at the path of the field says
which values it takes, and the message which value it has.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import msgspec
from msgspec import inspect

_MAX_QUOTED: Final = 64
"""Characters of a value or a key that a message quotes."""

_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
"""One step of a path of msgspec, such as `$.session.include[1]`."""

_ANY_KEY: Final = "[...]"
"""Step to a value of an object whose keys are the client's."""

_VALUES: Final[dict[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a decimal",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
"""What messages call the values of JSON."""


class Fault(Enum):
    """What is wrong with a field."""

    MISSING = auto()
    TYPE = auto()
    VALUE = auto()


@dataclass(frozen=True, slots=True)
class InvalidField:
    """A field that is missing, or whose value is not one that it takes.

    Attributes:
        path: Where it is (`session.include[1]`); empty for the message itself.
        message: What is wrong with it, in a sentence for the client.
    """

    path: str
    fault: Fault
    message: str


def invalid_json_field(error: msgspec.ValidationError, expected: Any, text: str | bytes) -> InvalidField:  # noqa: ANN401
    """Explain why a JSON text is not of the type `expected`, as `error` says."""
    try:
        return invalid_field(error, expected, msgspec.json.decode(text))
    # Of a part that the type does not have, which may be no UTF-8, or of a number out of range.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _unexplained(_place(error)[1])


def invalid_field(error: msgspec.ValidationError, expected: Any, value: Any) -> InvalidField:  # noqa: ANN401
    """Explain why a value of JSON, decoded without a type, is not of the type `expected`, as `error` says."""
    path, name = _place(error)
    reason = str(error)
    if reason.startswith("Object missing"):
        name = f"{name}.{reason.split('`')[1]}".removeprefix(".")
        return InvalidField(name, Fault.MISSING, f"Missing required parameter: '{name}'.")
    kinds, value = _found(path, _alternatives(_type_info(expected)), value)
    return next(_faults(name, kinds, value), _unexplained(name))


@functools.cache  # a type of many takes 3 ms, which a client that sends nothing else must not cost
def _type_info(expected: Any) -> inspect.Type:  # noqa: ANN401
    return inspect.type_info(expected)


def unsupported_value(value: str, choices: Sequence[str]) -> str:
    """Say that a value is none of the choices."""
    return _unsupported(value, list(map(_quoted, choices)))


def _unsupported(value: str | float, choices: Sequence[str]) -> str:
    return f"Invalid value: {_quoted(value)}. Supported values are: {_joined(choices, 'and')}."


def _place(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the path of msgspec to what is wrong, up to a key of the client, and the name of the field there."""
    path = str(error).rpartition(" - at `")[2] if " - at `" in str(error) else ""
    path = path.removeprefix("key` in `").removesuffix("`").removeprefix("$").partition(_ANY_KEY)[0]
    return path, path.removeprefix(".")


def _unexplained(name: str) -> InvalidField:
    return InvalidField(name, Fault.VALUE, f"Invalid value for '{name}'." if name else "The message is invalid.")


def _found(path: str, kinds: Sequence[inspect.Type], value: Any) -> tuple[Sequence[inspect.Type], Any]:  # noqa: ANN401
    """Return the types and the value at a path; any type if it leads nowhere.

    So it may if an object of the client has the same key twice: msgspec says what is wrong with the first value, and
    keeps the last one.
    """
    for member, index in _STEP.findall(path):
        if not (isinstance(value, dict) if member else isinstance(value, list) and int(index) < len(value)):
            return [inspect.AnyType()], value
        if index:
            kinds = [
                each for kind in kinds if isinstance(kind, inspect.ListType) for each in _alternatives(kind.item_type)
            ]
            value = value[int(index)]
        else:
            kinds = list(_of_member(member, [kind for kind in kinds if isinstance(kind, inspect.StructType)], value))
            value = value.get(member)
    return kinds, value


def _alternatives(kind: inspect.Type) -> Sequence[inspect.Type]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _of_member(name: str, structs: Sequence[inspect.StructType], value: Any) -> Iterator[inspect.Type]:  # noqa: ANN401
    """Yield the types of a member of a struct; of several structs, `value` has the tag of one."""
    if any(struct.tag_field == name for struct in structs):
        yield inspect.LiteralType(tuple(str(struct.tag) for struct in structs))
    for struct in structs:
        if struct.tag_field is None or value.get(struct.tag_field) == struct.tag:
            for field in struct.fields:
                if field.encode_name == name:
                    yield from _alternatives(field.type)


def _faults(name: str, kinds: Sequence[inspect.Type], value: Any) -> Iterator[InvalidField]:  # noqa: ANN401
    """Yield what is wrong with a value, and with the keys and values in it if the keys are the client's."""
    suited = [kind for kind in kinds if _suits(kind, value)]
    of = f" for '{name}'" if name else ""
    if not suited:
        wanted = _described(kinds)
        one_of = "one of " if len(wanted) > 1 else ""
        message = f"Invalid type{of}: expected {one_of}{_joined(wanted, 'or')}, but got {_VALUES[type(value)]} instead."
        yield InvalidField(name, Fault.TYPE, message)
    for kind in suited:
        if isinstance(kind, inspect.LiteralType | inspect.EnumType):
            if value not in _choices(kind):
                yield InvalidField(name, Fault.VALUE, _unsupported(value, _described(kinds)))
        elif limit := _exceeded(kind, value):
            yield InvalidField(name, Fault.VALUE, f"Invalid '{name}': {limit}")
        elif isinstance(kind, inspect.DictType):
            for key, member in value.items():
                if limit := _exceeded(kind.key_type, key):
                    yield InvalidField(name, Fault.VALUE, f"Invalid key in '{name}': {limit}")
                yield from _faults(f"{name}.{key[:_MAX_QUOTED]}", _alternatives(kind.value_type), member)


def _suits(kind: inspect.Type, value: Any) -> bool:  # noqa: ANN401
    """Return whether a value has the type of JSON that this one is written as."""
    match kind:
        case inspect.StrType() | inspect.BytesType():
            return isinstance(value, str)
        case inspect.IntType():
            return type(value) is int
        case inspect.FloatType():
            return type(value) in (int, float)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.NoneType():
            return value is None
        case inspect.ListType():
            return isinstance(value, list)
        case inspect.DictType() | inspect.StructType():
            return isinstance(value, dict)
        case inspect.LiteralType() | inspect.EnumType():
            return type(value) in map(type, _choices(kind))
        case _:
            return True


def _choices(kind: inspect.LiteralType | inspect.EnumType) -> list[Any]:
    return list(kind.values) if isinstance(kind, inspect.LiteralType) else [each.value for each in kind.cls]


def _described(kinds: Sequence[inspect.Type]) -> list[str]:
    """Return what a field of these types takes, without null, which stands for none of it."""
    wanted: dict[str, None] = {}
    for kind in kinds:
        match kind:
            case inspect.LiteralType() | inspect.EnumType():
                wanted |= dict.fromkeys(map(_quoted, _choices(kind)))
            case inspect.IntType(ge=least, le=most) | inspect.FloatType(ge=least, le=most):
                bounds = f" from {least} to {most}" if least is not None and most is not None else ""
                wanted["a number" + bounds if isinstance(kind, inspect.FloatType) else "an integer" + bounds] = None
            case inspect.StrType() | inspect.BytesType():
                wanted["a string"] = None
            case inspect.BoolType():
                wanted["a boolean"] = None
            case inspect.ListType():
                wanted["an array"] = None
            case inspect.DictType() | inspect.StructType():
                wanted["an object"] = None
            case _:
                pass
    return list(wanted)


def _exceeded(kind: inspect.Type, value: Any) -> str:  # noqa: ANN401
    """Return which limit of its type a value exceeds; empty if it exceeds none."""
    match kind:
        case inspect.IntType(ge=least, le=most) | inspect.FloatType(ge=least, le=most):
            number = "integer" if isinstance(kind, inspect.IntType) else "decimal"
            if least is not None and value < least:
                return f"{number} below minimum value. Expected a value >= {least}, but got {_quoted(value)} instead."
            if most is not None and value > most:
                return f"{number} above maximum value. Expected a value <= {most}, but got {_quoted(value)} instead."
            return ""
        case inspect.StrType(min_length=least, max_length=most) | inspect.ListType(min_length=least, max_length=most):
            noun, shown = ("string", "a string") if isinstance(kind, inspect.StrType) else ("array", "an array")
            got = f"but got {shown} with length {len(value)} instead."
            if least is not None and len(value) < least:
                return f"{noun} too short. Expected {shown} with minimum length {least}, {got}"
            if most is not None and len(value) > most:
                return f"{noun} too long. Expected {shown} with maximum length {most}, {got}"
            return ""
        case inspect.DictType(max_length=int(most)) if len(value) > most:
            return (
                f"too many properties. Expected an object with at most {most} properties, but got an object with "
                f"{len(value)} properties instead."
            )
        case inspect.BytesType():
            return "expected base64-encoded bytes, but got an invalid value instead."
        case _:
            return ""


def _quoted(value: str | float) -> str:
    text = str(value)
    text = text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
    return f"'{text}'" if isinstance(value, str) else text.lower()


def _joined(items: Sequence[str], conjunction: str) -> str:
    """Return a list in a sentence: "a", "a and b", "a, b, and c"."""
    if len(items) < 3:
        return f" {conjunction} ".join(items)
    return f"{', '.join(items[:-1])}, {conjunction} {items[-1]}"
