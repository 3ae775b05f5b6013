"""The JSON schema of an output type, and the same in words: a model is bound by a schema that it never sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

_DEEPEST = 3
"""Objects within objects that are told; small models lose their way in more."""


def schema_of(kind: type[BaseModel] | Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that binds the model."""
    return _of_model(kind) if isinstance(kind, type) else kind


@lru_cache(maxsize=128)
def _of_model(kind: type[BaseModel]) -> Mapping[str, Any]:
    return kind.model_json_schema()


def described(schema: Mapping[str, Any]) -> str:
    """What to answer, a line a field.

    >>> print(described({"properties": {"total": {"type": "number", "description": "in euros"}}}))
    Answer with a JSON object:
    - total (number): in euros
    >>> print(described({"type": "array", "items": {"type": "string"}}))
    Answer with JSON: list of text.
    """
    whole, said = _resolved(schema, schema)
    if whole.get("properties"):
        return "\n".join(["Answer with a JSON object:", *_lines(whole, schema, "", _DEEPEST)])
    item = _resolved(whole.get("items") or {}, schema)[0]
    if item.get("properties"):
        return "\n".join(["Answer with a JSON list of objects, each with:", *_lines(item, schema, "", _DEEPEST)])
    return f"Answer with JSON: {said}."


def _lines(schema: Mapping[str, Any], root: Mapping[str, Any], indent: str, depth: int) -> Iterator[str]:
    for name, value in (schema.get("properties") or {}).items():
        field, said = _resolved(value, root)
        about = value.get("description") or field.get("description") or ""
        yield f"{indent}- {name} ({said})" + (f": {' '.join(str(about).split())}" if about else "")
        inner = _resolved(field.get("items") or {}, root)[0] if field.get("type") == "array" else field
        if depth > 1 and inner.get("properties"):
            yield from _lines(inner, root, indent + "  ", depth - 1)


def _resolved(value: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """A field without references, and its type in words."""
    if reference := value.get("$ref"):
        target: Any = root
        for step in str(reference).lstrip("#/").split("/"):
            target = target.get(step, {}) if isinstance(target, Mapping) else {}
        return _resolved(target, root) if target and target != value else ({}, "value")
    if choices := value.get("anyOf") or value.get("oneOf"):
        found = [_resolved(choice, root) for choice in choices]
        field = next((each for each, said in found if said != "null"), {})
        return field, " or ".join(dict.fromkeys(said for _, said in found))
    if "const" in value:
        return value, repr(value["const"])
    if value.get("enum"):
        return value, "one of " + ", ".join(map(str, value["enum"]))
    kind = value.get("type", "value")
    if kind == "array":
        return value, f"list of {_resolved(value.get('items') or {}, root)[1]}"
    return value, "text" if kind == "string" else " or ".join(kind) if isinstance(kind, list) else str(kind)
