"""The types of inputs and outputs: how a value is checked, kept as text, and read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import PydanticSerializationError

_MOST_PROBLEMS = 3


@dataclass(frozen=True)
class ValueType:
    """A Python type, as annotations write it. `Any` is anything that JSON can hold."""

    annotation: Any = Any

    @property
    def is_text(self) -> bool:
        """A free text: a model is not constrained, and the text is kept as it is."""
        return self.annotation is str

    @property
    def name(self) -> str:
        """As a person would write it."""
        return name_of(self.annotation)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Raises TypeError, in words, for a type that can be neither checked nor kept."""
        try:
            return _adapter(self.annotation)
        except (PydanticSchemaGenerationError, PydanticUserError) as error:
            said = str(error).splitlines()[0]
            raise TypeError(f"{self.name} can be neither checked nor kept: {said}") from error

    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that a model is constrained by; None for a free text. Raises TypeError as `adapter`."""
        return None if self.is_text else self._schema

    @cached_property
    def _schema(self) -> dict[str, Any]:
        try:
            return self.adapter.json_schema()
        except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
            raise TypeError(f"{self.name} has no JSON schema: {str(error).splitlines()[0]}") from error

    def checked(self, value: Any) -> Any:  # noqa: ANN401
        """The value, as its type wants it. Raises ValueError, in words."""
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            raise ValueError(problems(error, self.name)) from error

    def to_text(self, value: Any) -> str:  # noqa: ANN401
        """What is kept of a checked value. Raises ValueError, in words, for what JSON cannot hold and give back."""
        if self.is_text:
            return str(value)
        try:
            text = self.adapter.dump_json(value, warnings="none").decode()
            self.adapter.validate_json(text)
        except (PydanticSerializationError, UnicodeError, ValueError, RecursionError) as error:
            raise ValueError(f"it cannot be kept as JSON: {str(error).splitlines()[0]}") from error
        return text

    def of_text(self, text: str) -> Any:  # noqa: ANN401
        """A value that was kept, or that a model wrote. Raises ValueError, in words."""
        if self.is_text:
            return text
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            raise ValueError(problems(error, self.name)) from error

    def item(self) -> ValueType:
        """Of a list: the type of what it holds; Any where that is not said."""
        annotation = self.annotation
        arguments = get_args(annotation)
        if get_origin(annotation) in (list, tuple, set, frozenset) and arguments and arguments[0] is not Ellipsis:
            return ValueType(arguments[0])
        return ValueType()

    def without_none(self) -> ValueType:
        """What is left of `str | None`: None stands for a failed item, and no model is asked for it."""
        annotation = self.annotation
        if get_origin(annotation) not in (Union, UnionType):
            return self
        return ValueType(Union[tuple(each for each in get_args(annotation) if each is not NoneType)])  # noqa: UP007

    def listed(self) -> ValueType:
        """A list of this."""
        return ValueType(list[self.annotation])  # type: ignore[name-defined]


def _adapter(annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    try:  # infinity and NaN come back as what they were
        return TypeAdapter(annotation, config=ConfigDict(ser_json_inf_nan="constants"))
    except PydanticUserError:  # a model has a configuration of its own
        return TypeAdapter(annotation)


ANYTHING = ValueType()
TEXT = ValueType(str)


def _schema_name(schema: Mapping[str, Any]) -> str:
    """Of a JSON schema: "object of label, because"."""
    kind = str(schema.get("title") or schema.get("type") or "value")
    fields = ", ".join(schema.get("properties") or ())
    return f"{kind} of {fields}" if fields else kind


def name_of(annotation: Any) -> str:  # noqa: ANN401
    """As a person would write the type; the same whatever module it was imported from."""
    arguments, origin = get_args(annotation), get_origin(annotation)
    if origin is Annotated:
        schema = next((each.json_schema for each in arguments if isinstance(each, WithJsonSchema)), None)
        return name_of(arguments[0]) if schema is None else _schema_name(schema)
    if not arguments:
        if annotation is NoneType:
            return "None"
        return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin in (Union, UnionType):
        return " | ".join(name_of(each) for each in arguments)
    inner = ", ".join(name_of(each) if each is not Ellipsis else "..." for each in arguments)
    return f"{getattr(origin, '__name__', str(origin))}[{inner}]"


def problems(error: ValidationError, name: str) -> str:
    """What is wrong with a value, at most three faults of it, in words."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    said = [
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}" if each["loc"] else each["msg"]
        for each in found[:_MOST_PROBLEMS]
    ]
    return f"it is no {name}: {'; '.join(said)}"


def digest_of_parts(*parts: Any) -> str:  # noqa: ANN401
    """SHA-256 over parts of JSON, hexadecimal."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def accepts_none(annotation: Any) -> bool:  # noqa: ANN401
    """Whether a parameter of that type may get None."""
    if annotation in (None, NoneType, Any):
        return True
    return get_origin(annotation) in (Union, UnionType) and any(accepts_none(each) for each in get_args(annotation))


def fits(given: Any, wanted: Any) -> bool:  # noqa: ANN401  one line a case
    """Whether a value of type `given` can be where `wanted` is asked for; False only where it plainly cannot."""
    if Any in (given, wanted) or given == wanted or wanted is object:
        return True
    if get_origin(given) in (Union, UnionType):  # a None of it skips the reader, or is what the reader takes
        return all(fits(each, wanted) for each in get_args(given) if each is not NoneType)
    if get_origin(wanted) in (Union, UnionType):
        return any(fits(given, each) for each in get_args(wanted))
    if get_origin(wanted) is Literal:
        return get_origin(given) is not Literal or set(get_args(given)) <= set(get_args(wanted))
    if get_origin(given) is Literal:
        return all(fits(type(each), wanted) for each in get_args(given))
    return _classes_fit(given, wanted)


_WIDENING = {(int, float), (bool, int), (bool, float)}
_PLAIN = (int, float, bytes, list, tuple, set, frozenset, dict, NoneType, BaseModel)
"""What a text is not made into: a path, a date or an enumeration it can be."""


def _classes_fit(given: Any, wanted: Any) -> bool:  # noqa: ANN401
    one, other = get_origin(given) or given, get_origin(wanted) or wanted
    if not (isinstance(one, type) and isinstance(other, type)):
        return True  # a type variable, a protocol: only the value will tell
    if isinstance(wanted, type) and issubclass(other, BaseModel) and issubclass(one, Mapping):
        return True  # pydantic makes a model of a mapping
    if one is str and not issubclass(other, _PLAIN):
        return True
    if (one, other) not in _WIDENING and not issubclass(one, other):
        return False
    inner, asked = get_args(given), get_args(wanted)
    if not inner or not asked or len(inner) != len(asked):
        return True
    return all(fits(a, b) for a, b in zip(inner, asked, strict=True))
