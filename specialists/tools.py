"""Tools: plain functions with types that a specialist of yours may call, and which of them one call is offered.

A tool's arguments are bound by the JSON schema of its parameters and validated again before it runs; whatever it gives
back is data.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, get_type_hints, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError

from nonet.errors import SpecialistError
from nonet.specialists.ranking import bm25
from nonet.specialists.text import content_stems

MOST_OFFERED = 4
"""Tools that one call chooses from: a small model that gets many to choose from takes a wrong one."""
LONGEST_SECONDS = 30.0
"""That a tool may take."""


class ToolError(Exception):
    """A tool could not do what it was asked; the model is told why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a specialist can call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """A JSON schema of an object."""
    call: Callable[[Mapping[str, Any]], Awaitable[str]]
    """Raises ToolError."""


@runtime_checkable
class ToolSource(Protocol):
    """Where tools come from that have to be asked for: an MCP server."""

    def open(self) -> Any:  # noqa: ANN401  an async context manager of a sequence of tools
        """Connect for one attempt."""
        ...


Tools = Sequence[Callable[..., Any] | Tool | ToolSource]


def name_of(tool: Any) -> str:  # noqa: ANN401  what `tools` may hold
    """What a reader knows it by: a tool's name, a server's command or address."""
    if isinstance(tool, ToolSource):
        return str(tool)
    return tool.name if isinstance(tool, Tool) else str(getattr(tool, "__name__", tool))


@cache
def tool_of(function: Callable[..., Any]) -> Tool:
    """A tool of a function: its name, the first line of its docstring, its parameters' types.

    Raises:
        SpecialistError: a parameter has no type, or one that no JSON can be.
    """
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise SpecialistError(f"{function!r} cannot be a tool: it has no name.", next_step="Write it with `def`.")
    model = _model_of(function, name)
    doc = (inspect.getdoc(function) or "").strip().splitlines()

    async def call(arguments: Mapping[str, Any]) -> str:
        try:
            valid = model.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ToolError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        given = {field: getattr(valid, field) for field in type(valid).model_fields}
        return await _called(function, given)

    return Tool(name, doc[0] if doc else "", model.model_json_schema(), call)


def _model_of(function: Callable[..., Any], name: str) -> type[BaseModel]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:  # anything that stands in an annotation
        raise SpecialistError(f"The types of the tool {name} cannot be read: {error}") from error
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SpecialistError(f"The tool {name} takes *{parameter.name}, which no schema can say.")
        if parameter.name not in hints:
            raise SpecialistError(
                f"The tool {name} does not say what type its parameter {parameter.name} has.",
                next_step=f"Annotate it: def {name}({parameter.name}: str).",
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], Field(default))
    try:
        model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        model.model_json_schema()
    except PydanticUserError as error:  # a type that no JSON can be
        raise SpecialistError(f"No schema can say the types of the tool {name}: {error.message}") from error
    return model


async def _called(function: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """Run it, an ordinary function in a thread. Raises ToolError for whatever goes wrong."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            if inspect.iscoroutinefunction(function):
                result = await function(**given)
            else:
                result = await _in_thread(function, given)
    except TimeoutError as error:
        raise ToolError(f"it took longer than {LONGEST_SECONDS:.0f} seconds") from error
    except Exception as error:
        raise ToolError(f"{type(error).__name__}: {error}") from error
    return _text(result)


async def _in_thread(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Its result. The thread is one that nobody waits for: a tool that hangs holds up neither a time-out nor Ctrl-C."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:  # noqa: ANN401
        if not done.done():
            done.set_result(result) if error is None else done.set_exception(error)

    def run() -> None:
        result, failed = None, None
        try:
            result = function(**given)
        except Exception as error:  # noqa: BLE001  it is raised where it is waited for
            failed = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, daemon=True, name=f"nonet-tool-{getattr(function, '__name__', '')}").start()
    return await done


def _text(result: Any) -> str:  # noqa: ANN401  whatever a function gives
    if isinstance(result, str):
        return result
    if isinstance(result, BaseModel):
        return result.model_dump_json()
    return json.dumps(result, ensure_ascii=False, default=str)


@asynccontextmanager
async def opened(tools: Tools) -> AsyncIterator[tuple[Tool, ...]]:
    """All tools, the connections of those that need one held open.

    Raises:
        SpecialistError: two have one name. As their sources raise.
    """
    async with AsyncExitStack() as stack:
        found: dict[str, Tool] = {}
        for each in tools:
            if isinstance(each, ToolSource):
                more: Sequence[Tool] = await stack.enter_async_context(each.open())
            else:
                more = (each if isinstance(each, Tool) else tool_of(each),)
            for tool in more:
                if tool.name in found:
                    raise SpecialistError(f"Two tools are called {tool.name}.", next_step="Give one another name.")
                found[tool.name] = tool
        yield tuple(found.values())


def offered(tools: Sequence[Tool], instruction: str, most: int = MOST_OFFERED) -> tuple[Tool, ...]:
    """The tools whose names, descriptions and parameters share most with the instruction (BM25), in their own order."""
    if len(tools) <= most:
        return tuple(tools)
    scores = bm25(content_stems(instruction), [content_stems(_words_of(tool)) for tool in tools])
    best = sorted(range(len(tools)), key=lambda place: -scores[place])[:most]
    return tuple(tools[place] for place in sorted(best))


def _words_of(tool: Tool) -> str:
    fields: Mapping[str, Mapping[str, Any]] = tool.parameters.get("properties") or {}
    about = [f"{name} {field.get('description', '')}" for name, field in fields.items()]
    return " ".join([tool.name, tool.description, *about]).replace("_", " ")
