"""Specialists for tests: what they do is given as a function, and they keep what they were asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nonet.runtimes import Message
from nonet.specialists import Assignment, Desk, Outcome, Verdict

Work = Callable[[Assignment, Desk], Awaitable[Outcome]]


async def echo(assignment: Assignment, desk: Desk) -> Outcome:
    """One call, and what was read: enough to see what travelled where."""
    await desk.chat([Message("user", assignment.instruction)])
    read = "".join(f" <{source.text}>" for source in assignment.sources)
    return Outcome(f"{assignment.instruction}{read}", Verdict.UNVERIFIED)


@dataclass
class StaffMember:
    """A specialist whose work is the function given."""

    name: str
    do: Work = echo
    examples: tuple[str, ...] = ("do something",)
    description: str = "for tests"
    seen: list[Assignment] = field(default_factory=list)
    models: list[str] = field(default_factory=list)

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        self.seen.append(assignment)
        self.models.append(desk.model)
        return await self.do(assignment, desk)
