"""Specialists that nonet.toml declares: [specialists.NAME] with a prompt, or with a `use` that names one in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nonet.errors import BadRequestError, SpecialistError
from nonet.runtimes.schema import check_schema
from nonet.specialists.importing import find_object
from nonet.specialists.mcp_tools import McpServer
from nonet.specialists.own import PromptSpecialist
from nonet.specialists.protocol import Assignment, Evidence
from nonet.specialists.tools import tool_of

if TYPE_CHECKING:
    from nonet.settings_specialists import Declared

_KINDS = {"string", "number", "integer", "boolean"}


class DeclaredSpecialist(PromptSpecialist[Any]):
    """What a table of nonet.toml makes."""

    def __init__(self, name: str, declared: Declared) -> None:
        self.name = name
        self.description = declared.description or (declared.prompt or "").strip().splitlines()[0][:80]
        self.examples = tuple(declared.examples)
        self.models = tuple(declared.models)
        self.prompt = declared.prompt or ""
        self.output = None if declared.output is None else output_schema(declared.output)
        servers = [
            McpServer(tuple(each.command), each.url or "", each.environment, tuple(each.only)) for each in declared.mcp
        ]
        self.tools = (*(tool_of(find_object(each)) for each in declared.tools), *servers)
        self._verify = find_object(declared.verify) if declared.verify else None

    def verify(self, output: Any, assignment: Assignment) -> Iterable[Evidence]:  # noqa: ANN401  JSON
        """As PromptSpecialist.verify."""
        return self._verify(output, assignment) if self._verify is not None else ()


def from_settings(name: str, declared: Declared) -> Any:  # noqa: ANN401  what `use` names may be anything
    """The specialist of one table. Raises SpecialistError."""
    return find_object(declared.use) if declared.use else DeclaredSpecialist(name, declared)


def output_schema(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """A JSON schema as it stands, or made of a table of fields: a type, a list of choices, or the field's own schema.

    >>> output_schema({"kind": ["bill", "order"], "total": "number"})["properties"]
    {'kind': {'enum': ['bill', 'order']}, 'total': {'type': 'number'}}

    Raises:
        SpecialistError: it is neither.
    """
    if isinstance(output.get("properties"), Mapping):
        schema = output
    else:
        properties = {name: _field(name, value) for name, value in output.items()}
        schema = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    try:
        check_schema(schema)
    except BadRequestError as error:
        raise SpecialistError(f"output: {error.message}") from error
    return schema


def _field(name: str, value: Any) -> Mapping[str, Any]:  # noqa: ANN401  what the user wrote
    if isinstance(value, str) and value.removesuffix("?") in _KINDS:
        kind = value.removesuffix("?")
        return {"type": [kind, "null"]} if value.endswith("?") else {"type": kind}
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return {"enum": value}
    if isinstance(value, Mapping):
        return value
    raise SpecialistError(
        f"output.{name} is {value!r}, which is no type.",
        next_step=f"Write one of {', '.join(sorted(_KINDS))} (with ? where it may be missing), a list of choices, or"
        " a JSON schema.",
    )
