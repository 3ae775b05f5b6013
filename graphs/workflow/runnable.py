"""A specialist as a langchain Runnable, which is also what LangGraph takes as a node, with no workflow around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableLambda

from nonet.errors import UsageError
from nonet.graphs.workflow import sessions
from nonet.graphs.workflow.alone import own_specialists
from nonet.graphs.workflow.place import of_caller
from nonet.graphs.workflow.workflow import Workflow

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from nonet.graphs.session import Session
    from nonet.specialists import Specialist


def runnable(
    specialist: str | Specialist,
    instruction: str = "{instruction}",
    *,
    reads: Sequence[str] = (),
    output: Any = str,  # noqa: ANN401  a type
    writes: str | None = None,
    session: Session | None = None,
    **settings: Any,  # noqa: ANN401  any setting
) -> Runnable[Any, Any]:
    """A specialist with its models, checks and repairs, behind `invoke`, `ainvoke`, `batch` and `|`.

    Args:
        specialist: its name, or an object.
        instruction: `{name}` stands for a field of what it is invoked with.
        reads: fields that are handed to it as sources, whatever their length.
        output: the type of its answer; the model is constrained to it.
        writes: as a node of a LangGraph graph: the key of the state that gets the answer.
        session: where it runs; without one, a session of the settings that is kept open with its event loop.
        settings: as in nonet.toml.

    Returns:
        What is invoked with a text, messages (the last one counts), a mapping or a model, and gives the answer, or
        {writes: answer}.

    Raises:
        WorkflowError: no such specialist. WorkflowFailedError, when invoked: its answer did not pass its checks.

    Example:
        >>> import nonet
        >>> settings = {"runtime": "scripted", "db": tmp / "runnable.db"}
        >>> short = nonet.runnable("summarization", "In one sentence.", reads=["text"], **settings)
        >>> short.invoke({"text": "The pump was replaced in May. It works well since."})
        'The pump was replaced in May.'
    """
    flow: Workflow[Any] = Workflow("runnable", place=of_caller())
    flow.add("answer", specialist=specialist, instruction=instruction, reads=reads, output=output)
    fields = tuple(flow.inputs)

    async def later(given: Any) -> Any:  # noqa: ANN401
        own = tuple(own_specialists(flow).values())
        opened = session if session is not None else await sessions.shared(settings, own)
        answer = (await flow.arun(_inputs(given, fields), session=opened)).output
        return answer if writes is None else {writes: answer}

    def now(given: Any) -> Any:  # noqa: ANN401
        return sessions.blocking(later(given))

    name = specialist if isinstance(specialist, str) else specialist.name
    return RunnableLambda(now, later, name=name)


def _inputs(given: Any, fields: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401
    """What it is invoked with, by field."""
    if hasattr(given, "to_messages"):  # a prompt of langchain's
        given = given.to_messages()
    if isinstance(given, Mapping):
        missing = [name for name in fields if name not in given]
        if not missing:
            return {name: _text(given[name]) for name in fields}
        raise UsageError(f"It reads {', '.join(missing)}, and got {', '.join(map(str, given)) or 'nothing'}.")
    if not isinstance(given, str | list | tuple) and all(hasattr(given, name) for name in fields):
        return {name: _text(getattr(given, name)) for name in fields}
    if len(fields) != 1:
        raise UsageError(f"It reads {', '.join(fields) or 'nothing'}; invoke it with a mapping of these.")
    return {fields[0]: _text(given)}


def _text(value: Any) -> Any:  # noqa: ANN401
    """A message, or the last of several, as its text; anything else as it is."""
    if isinstance(value, list | tuple) and value and hasattr(value[-1], "content"):
        value = value[-1]
    content = getattr(value, "content", value)
    return getattr(value, "text", content) if isinstance(content, list) else content
