"""`@nonet.specialist`: a specialist from a function.

A function of the assignment writes the prompt; an `async` function of the assignment and the desk does all of the work.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from pydantic import BaseModel

from nonet.errors import SpecialistError
from nonet.runtimes import Message
from nonet.specialists.own import Out, OutputType, PromptSpecialist
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome
from nonet.specialists.tools import Tools

Model = TypeVar("Model", bound=BaseModel)
Prompt = Callable[[Assignment], str]
Work = Callable[[Assignment, Desk], Awaitable[Outcome]]


class FunctionSpecialist(PromptSpecialist[Out], Generic[Out]):
    """What `@specialist` makes of a function that writes the prompt. Calling it still calls the function."""

    def __init__(self, function: Prompt, verify: Callable[[Out, Assignment], Iterable[Evidence]] | None) -> None:
        self._function = function
        self._verify = verify

    def __call__(self, assignment: Assignment) -> str:
        """The prompt of an assignment."""
        return self._function(assignment)

    @property
    def structured(self) -> bool:
        """As PromptSpecialist.structured."""
        return self.output is None and self._verify is None

    def messages(self, assignment: Assignment) -> tuple[Message, ...]:
        """As PromptSpecialist.messages: what the function wrote is all that the model is told."""
        system = (Message("system", self.prompt),) if self.prompt else ()
        return (*system, Message("user", self._function(assignment)))

    def verify(self, output: Out, assignment: Assignment) -> Iterable[Evidence]:
        """As PromptSpecialist.verify."""
        return self._verify(output, assignment) if self._verify is not None else ()


class FunctionWorker:
    """What `@specialist` makes of an `async` function, which does the work itself."""

    def __init__(self, function: Work, name: str, description: str, given: Mapping[str, Any]) -> None:
        self._function = function
        self.name = name
        self.description = description
        self.examples = tuple(given["examples"])
        self.models = tuple(given["models"])

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One attempt, as the function makes it."""
        return await self._function(assignment, desk)


class Decorate(Generic[Out]):
    """Takes the function that `@specialist(...)` stands on."""

    def __init__(self, worker: dict[str, Any], prompt: dict[str, Any]) -> None:
        self._worker = worker
        self._prompt = prompt

    @overload
    def __call__(self, function: Prompt) -> FunctionSpecialist[Out]: ...
    @overload
    def __call__(self, function: Work) -> FunctionWorker: ...
    def __call__(self, function: Any) -> Any:
        """The specialist. Raises SpecialistError for options that the function cannot have."""
        doc = (inspect.getdoc(function) or "").strip().splitlines()
        name = self._worker["name"] or function.__name__
        description = self._worker["description"] or (doc[0] if doc else "")
        if inspect.iscoroutinefunction(function):
            if given := [key for key, value in self._prompt.items() if value]:
                raise SpecialistError(
                    f"{name} does the work itself, so that {', '.join(given)} cannot be given to it.",
                    next_step="Call desk.chat(..., schema=...) in it, or let it write the prompt only.",
                )
            return FunctionWorker(function, name, description, self._worker)
        made: FunctionSpecialist[Any] = FunctionSpecialist(function, self._prompt["verify"])
        made.name, made.description = name, description
        made.examples, made.models = tuple(self._worker["examples"]), tuple(self._worker["models"])
        made.output, made.prompt, made.tools = self._prompt["output"], self._prompt["system"], self._prompt["tools"]
        return made


@overload
def specialist(
    *,
    output: type[Model],
    examples: Sequence[str] = (),
    models: Sequence[str] = (),
    verify: Callable[[Model, Assignment], Iterable[Evidence]] | None = None,
    tools: Tools = (),
    name: str = "",
    description: str = "",
    system: str = "",
) -> Decorate[Model]: ...
@overload
def specialist(
    *,
    examples: Sequence[str] = (),
    models: Sequence[str] = (),
    verify: Callable[[str, Assignment], Iterable[Evidence]] | None = None,
    tools: Tools = (),
    name: str = "",
    description: str = "",
    system: str = "",
) -> Decorate[str]: ...
def specialist(
    *,
    output: OutputType | None = None,
    examples: Sequence[str] = (),
    models: Sequence[str] = (),
    verify: Callable[[Any, Assignment], Iterable[Evidence]] | None = None,
    tools: Tools = (),
    name: str = "",
    description: str = "",
    system: str = "",
) -> Decorate[Any]:
    r"""Make a specialist of the function below.

    Args:
        output: what the answer must be; it binds the model and is validated. None: prose.
        examples: a dozen or so requests it should get; the planner routes by them.
        models: its ladder, smallest first; the settings' or the usual one if none are given.
        verify: checks of a valid output (`PromptSpecialist.verify`).
        tools: what the model may call.
        name: the function's name unless given.
        description: the first line of its docstring unless given.
        system: the system message.

    Example:
        >>> @specialist(examples=["Turn this into a haiku.", "Write the report as a haiku."])
        ... def haiku(assignment: Assignment) -> str:
        ...     "Writes a haiku."
        ...     return f"Write a haiku about this:\n{assignment.text}"
        >>> haiku.name, haiku.description
        ('haiku', 'Writes a haiku.')
    """
    return Decorate(
        {"name": name, "description": description, "examples": examples, "models": models},
        {"output": output, "verify": verify, "tools": tools, "system": system},
    )
