"""Types as text, as a workflow's file has them: "str", "list[int]", "my.module:Ticket", "dict[str, float] | None"."""

from __future__ import annotations

import json
import re
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AfterValidator, WithJsonSchema

from nonet.errors import NonetError
from nonet.graphs.workflow.definition import TypeText
from nonet.graphs.workflow.signatures import at_path, path_of
from nonet.graphs.workflow.values import ValueType

_PLAIN: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "any": Any,
    "Any": Any,
    "None": NoneType,
    "list": list,
    "dict": dict,
}
_NAMES = {value: name for name, value in _PLAIN.items() if name != "any"}
_TOKEN = re.compile(r"\s*([A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*)?|[\[\],|])")
_ARGUMENTS = {"list": 1, "dict": 2}


def type_of(said: TypeText) -> ValueType:
    """The type that a text or a JSON schema names. Raises ValueError, in words."""
    if isinstance(said, dict):
        return ValueType(_of_schema(said))
    tokens = _tokens(said)
    found = _union(tokens, said)
    if tokens:
        raise ValueError(f"{said!r} is no type: {tokens[0]!r} stands where it should have ended")
    return ValueType(found)


def text_of(value_type: ValueType) -> TypeText:
    """What names it: a text where there is one, else its JSON schema. Raises TypeError, in words, where neither is."""
    said = _text(value_type.annotation)
    if said is not None:
        return said
    schema = value_type.schema()
    return schema if schema is not None else "str"


def _text(annotation: Any) -> str | None:  # noqa: ANN401
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not arguments:
        return _plain_text(annotation)
    inner = [_text(each) for each in arguments]
    if any(each is None for each in inner):
        return None
    said = [str(each) for each in inner]
    if origin in (Union, UnionType):
        return " | ".join(said)
    if origin in (list, dict):
        return f"{origin.__name__}[{', '.join(said)}]"
    return None


def _plain_text(annotation: Any) -> str | None:  # noqa: ANN401
    if isinstance(annotation, type) and annotation not in _NAMES:
        return None if "<locals>" in annotation.__qualname__ else path_of(annotation)
    return _NAMES.get(annotation)


def _tokens(said: str) -> list[str]:
    tokens, place = [], 0
    while place < len(said.rstrip()):
        match = _TOKEN.match(said, place)
        if match is None:
            raise ValueError(f"{said!r} is no type")
        tokens.append(match[1])
        place = match.end()
    return tokens


def _union(tokens: list[str], said: str) -> Any:  # noqa: ANN401
    found = _single(tokens, said)
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        found = Union[found, _single(tokens, said)]  # noqa: UP007  made at run time
    return found


def _single(tokens: list[str], said: str) -> Any:  # noqa: ANN401
    if not tokens or not (tokens[0][0].isalpha() or tokens[0][0] == "_"):
        raise ValueError(f"{said!r} is no type: a name is missing in it")
    name = tokens.pop(0)
    if ":" in name:
        return at_path(name)
    if name not in _PLAIN:
        raise ValueError(
            f"{name!r} is no type that can be named so; there are {', '.join(_PLAIN)}, and package.module:Class"
        )
    if not tokens or tokens[0] != "[":
        return _PLAIN[name]
    tokens.pop(0)
    arguments = [_union(tokens, said)]
    while tokens and tokens[0] == ",":
        tokens.pop(0)
        arguments.append(_union(tokens, said))
    if not tokens or tokens.pop(0) != "]":
        raise ValueError(f"{said!r} is no type: ] is missing")
    if len(arguments) != _ARGUMENTS.get(name, 0):
        raise ValueError(f"{said!r} is no type: {name} does not take {len(arguments)} in [ ]")
    return list[arguments[0]] if name == "list" else dict[arguments[0], arguments[1]]  # type: ignore[valid-type]


def _of_schema(schema: dict[str, Any]) -> Any:  # noqa: ANN401
    from nonet.runtimes.schema import check_answer, encode_schema  # noqa: PLC0415  loads a validator

    try:
        encoded = encode_schema(schema)
        check_answer("null", encode_schema({"anyOf": [{}, schema]}))  # compiles it: a wrong one is found here
    except NonetError as error:
        raise ValueError(f"the JSON schema cannot be used: {error.message}") from error

    def obeys(value: Any) -> Any:  # noqa: ANN401
        try:
            check_answer(json.dumps(value), encoded)
        except NonetError as error:
            raise ValueError(error.message) from error
        return value

    return Annotated[Any, AfterValidator(obeys), WithJsonSchema(schema)]
