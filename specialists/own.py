"""A specialist of your own from what it is made of: a prompt, an output type, a verifier, tools.

Subclass `PromptSpecialist`, or decorate a function with `nonet.specialist` (specialists.define). One call under the
schema of the output type; what comes back is validated, then verified; a result that fails either is repaired from the
evidence and tried on the next model of the ladder, within the bounds of every specialist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from nonet.errors import ContextOverflowError, NonetError
from nonet.runtimes import Message
from nonet.specialists.budget import Part, fit
from nonet.specialists.checks import answer_checks, degeneration_check, length_check
from nonet.specialists.output_schema import described, schema_of
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.text import neutral
from nonet.specialists.tool_rounds import Findings, consult
from nonet.specialists.tools import Tools

Out = TypeVar("Out")
OutputType = type[BaseModel] | Mapping[str, Any]
"""A pydantic model, or a JSON schema of an object."""

OUTPUT = "output"
"""The key in `Outcome.data` of a typed output, as JSON."""
_ANSWER_SHARE = 4
"""The part of the window that is kept for the answer."""
_AGAIN_TEMPERATURE = 0.6
"""For a further attempt: greedy, the same model says the same again."""
_MOST_FINDINGS = 3
_MOST_PROBLEMS = 3


class PromptSpecialist(Generic[Out]):
    """A specialist made of a prompt. `Out` is the output type, `str` where it has none.

    Set the fields on a subclass or an instance; override `verify`, and where need be `output_for`, `messages` or
    `wording`. Instances are shared by attempts that run at once, so keep nothing of an attempt on them.
    """

    name: str = ""
    description: str = ""
    """One line, as the plan view shows it. Unset: the first line of the class's docstring."""
    examples: Sequence[str] = ()
    """A dozen or so requests it should get; the planner routes by them."""
    models: Sequence[str] = ()
    """Its ladder, smallest first. Unset: the settings' or the usual one."""
    prompt: str = ""
    """What the model is told before the task: the system message."""
    output: OutputType | None = None
    """What the answer must be. None: prose."""
    tools: Tools = ()
    """Plain functions with types, `Tool`s, and `McpServer`s."""
    tool_rounds: ClassVar[int] = 3
    """Tool calls of one attempt, at most."""

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401  passed on
        super().__init_subclass__(**options)
        if "description" not in cls.__dict__ and cls.__doc__:
            cls.description = cls.__doc__.strip().splitlines()[0].strip()

    @property
    def structured(self) -> bool:
        """Whether it answers in the form that a workflow's step asks for: as long as it has none of its own."""
        own = type(self)
        plain = own.verify is PromptSpecialist.verify and own.output_for is PromptSpecialist.output_for
        return plain and self.output is None

    def output_for(self, assignment: Assignment) -> OutputType | None:  # noqa: ARG002  for those that need it
        """The output type of one assignment; where the request itself says what is wanted, override it."""
        return self.output

    def messages(self, assignment: Assignment) -> tuple[Message, ...]:
        """The prompt: `prompt` as the system message, then what is read, then the instruction."""
        system = (Message("system", self.prompt),) if self.prompt else ()
        parts = [assignment.text, neutral(assignment.instruction)]
        return (*system, Message("user", "\n\n".join(part for part in parts if part)))

    def verify(self, output: Out, assignment: Assignment) -> Iterable[Evidence]:  # noqa: ARG002  nothing is checked
        """Checks of a valid output. One that failed fails the attempt; those that passed, with none that could not be
        made (`passed=None`), verify it; without any it stays unverified."""  # noqa: D205, D209
        return ()

    def wording(self, output: Out) -> str:
        """The output as a reader gets it: JSON where it is typed."""
        return output if isinstance(output, str) else json.dumps(plain(output), ensure_ascii=False, indent=2)

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One attempt.

        Raises:
            ContextOverflowError: what it reads does not fit the window. Nothing is left out: an answer from a part
                would look like one from the whole.
        """
        kind = self.output_for(assignment)
        if kind is None and self.structured:
            kind = assignment.schema
        asked = self.messages(assignment)
        found = Findings()
        if self.tools:
            found = await consult(self.tools, assignment, _builder(asked, None), desk, self.tool_rounds)
        prompt = await _fitted(_builder(asked, kind), assignment, found, desk)
        response = await desk.chat(
            prompt,
            schema=None if kind is None else schema_of(kind),
            temperature=_AGAIN_TEMPERATURE if assignment.attempt > 1 else 0.0,
            seed=assignment.attempt,
        )
        text = response.text.strip()
        for broken in (degeneration_check(text) if kind is None else None, length_check(response.finish)):
            if broken is not None:
                return Outcome(text, Verdict.FAILED, (*found.evidence, broken))
        if kind is None:
            return self.judged(text, assignment, (*found.evidence, *answer_checks(assignment.instruction, text)))
        try:
            output = _read(text, kind)
        except ValidationError as error:
            return Outcome(text, Verdict.FAILED, (*found.evidence, _invalid(error)))
        return self.judged(output, assignment, found.evidence)

    def judged(self, output: Any, assignment: Assignment, evidence: Sequence[Evidence] = ()) -> Outcome:  # noqa: ANN401
        """The outcome of an output: what `verify` says of it, after the checks that were made before."""
        try:
            checks = tuple(self.verify(output, assignment))
        except NonetError:
            raise
        except Exception as error:  # noqa: BLE001  a verifier is anybody's code, and an answer can break it
            detail = f"the verifier raised {type(error).__name__}: {error}"
            checks = (Evidence("verifier", passed=False, detail=detail),)
        data = {} if isinstance(output, str) else {OUTPUT: plain(output)}
        text = self.wording(output)
        made = (*evidence, *checks)
        return Outcome(text, verdict_of(checks), made or (_UNCHECKED,), data=data)


_UNCHECKED = Evidence("call", passed=None, detail="answered without a check")


def verdict_of(checks: Iterable[Evidence]) -> Verdict:
    """Failed if a check failed; verified if there are some and all passed; else unverified.

    >>> str(verdict_of([]))
    'unverified'
    """
    passed = [item.passed for item in checks]
    if False in passed:
        return Verdict.FAILED
    return Verdict.VERIFIED if passed and all(passed) else Verdict.UNVERIFIED


def plain(output: Any) -> Any:  # noqa: ANN401  a model, or JSON already
    """An output as JSON values."""
    return output.model_dump(mode="json") if isinstance(output, BaseModel) else output


def _read(text: str, kind: OutputType) -> Any:  # noqa: ANN401  what the type says
    """The answer as its type. The runtime has held it against the schema; a model's own validators come on top."""
    return kind.model_validate_json(text) if isinstance(kind, type) else json.loads(text)


def _invalid(error: ValidationError) -> Evidence:
    problems = [
        f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_url=False, include_context=False)
    ]
    more = f" and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
    return Evidence("schema", passed=False, detail="; ".join(problems[:_MOST_PROBLEMS]) + more)


Build = Callable[[Sequence[str]], tuple[Message, ...]]


def _builder(messages: Sequence[Message], kind: OutputType | None) -> Build:
    """Makes the prompt with more texts in it: they stand before the last message, which is the task."""
    *before, task = messages
    if kind is not None:  # no model sees the schema that binds it
        task = replace(task, content=f"{task.content}\n\n{described(schema_of(kind))}")

    def build(texts: Sequence[str]) -> tuple[Message, ...]:
        return (*before, replace(task, content="\n\n".join([*texts, task.content])))

    return build


async def _fitted(build: Build, assignment: Assignment, found: Findings, desk: Desk) -> tuple[Message, ...]:
    """The prompt, with what tools found and with the failed answer to repair, where that fits."""
    parts = [Part(found.text, priority=0)] if found.text else []
    answer_tokens = desk.window_tokens // _ANSWER_SHARE
    again = _repair(assignment)
    try:
        return (await fit(parts, lambda texts: (*build(texts), *again), desk, answer_tokens)).messages
    except ContextOverflowError:
        if not again:
            raise
        return (await fit(parts, build, desk, answer_tokens)).messages  # asked anew, where a repair does not fit


def _repair(assignment: Assignment) -> tuple[Message, ...]:
    findings = "; ".join(item.detail for item in assignment.feedback[:_MOST_FINDINGS])
    if not findings or not assignment.previous:
        return ()
    again = f"That answer did not pass its checks: {neutral(findings)}. Answer again."
    return Message("assistant", assignment.previous), Message("user", again)
