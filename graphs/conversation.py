"""A session of tasks that may refer to one another: what was made before is known by name, and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.events import Event, Notice, OnEvent, RunStarted
from nonet.graphs.followups import Resolved, choose, read_follow_up, resolve
from nonet.graphs.memory import Memory
from nonet.graphs.mentions import Mentions, read_mentions, text_of
from nonet.graphs.run import check_task, drive_plan, run_task

if TYPE_CHECKING:
    from nonet.graphs.context import Approve
    from nonet.graphs.result import RunResult
    from nonet.graphs.session import Session
    from nonet.store import SessionRecord

_LAST_RUNS = 20


async def run_mentions(
    session: Session,
    found: Mentions,
    documents: Sequence[Path] = (),
    *,
    approve: Approve | None = None,
    wants_approval: bool = False,
    on_event: OnEvent | None = None,
) -> RunResult:
    """`run_task` of a task whose references were read; what names nothing is told as a Notice."""
    if on_event is not None:
        for name in found.unknown:
            on_event(Notice("reference", f"@{name} names no file, run or document; it stands as it is"))
    return await run_task(
        session,
        found.task,
        documents=[*documents, *found.paths],
        artifacts=found.artifacts,
        approve=approve,
        wants_approval=wants_approval,
        on_event=on_event,
    )


def _understood(resolved: Resolved) -> Notice:
    return Notice("follow-up", f"about {resolved.artifact.name} ({resolved.artifact.about}): {resolved.instruction}")


class Conversation:
    """Runs tasks one after the other and remembers what they made.

    Args:
        session: what works; another may take its place.
        record: what the store keeps of it; `Conversation.open` finds or makes it.

    Example:
        async with await Session.open(settings) as session:
            talk = Conversation.open(session)
            await talk.say("Summarize report.md.", documents=[Path("report.md")])
            await talk.say("Shorten that.")
    """

    def __init__(self, session: Session, record: SessionRecord) -> None:
        self.session = session
        self.id = record.id
        self.state: dict[str, Any] = dict(record.state)
        """What else is kept with it, such as settings; `keep` writes it."""
        self.memory = Memory.of(self.state.get("memory", {}))

    @classmethod
    def open(cls, session: Session, name: str | None = None) -> Self:
        """A new one, or the one of that name, id, or "last".

        Raises:
            SessionNotFoundError: there is no such conversation.
        """
        sessions = session.store.sessions
        return cls(session, sessions.find(name) if name else sessions.create())

    def runs(self) -> list[str]:
        """Its newest runs, the newest first."""
        return list(reversed(self.session.store.sessions.runs(self.id, _LAST_RUNS)))

    async def say(
        self,
        said: str,
        *,
        documents: Sequence[Path] = (),
        approve: Approve | None = None,
        wants_approval: bool = False,
        on_event: OnEvent | None = None,
    ) -> RunResult:
        """Run what was said: its references read, and a follow-up resolved to the text it means.

        Args:
            said: a task, such as "Shorten that", "Now in Rust" or "Compare @report.md with @last".
            documents: as `run_task`, and so are `approve` and `wants_approval`.
            on_event: as `run_task`; how a follow-up was understood is told as a Notice.

        Raises:
            NonetError: as `run_task`; DocumentError for a reference whose text is gone.
        """
        check_task(said)
        hear = self._listener(on_event)
        found = read_mentions(self.session.store, said, last=self.runs())
        resolved = None
        if not (documents or found.paths or found.artifacts or found.documents):
            resolved = await self._follow_up(found.task)
        if resolved is None:
            result = await run_mentions(
                self.session, found, documents, approve=approve, wants_approval=wants_approval, on_event=hear
            )
        elif wants_approval or resolved.specialist not in self.session.specialists:
            hear(_understood(resolved))
            result = await run_task(
                self.session,
                resolved.instruction,
                artifacts=[resolved.artifact.name],
                approve=approve,
                wants_approval=wants_approval,
                on_event=hear,
            )
        else:
            hear(_understood(resolved))
            result = await self._alone(said, resolved, str(resolved.specialist), hear)
        return await self._remember(result)

    async def _follow_up(self, said: str) -> Resolved | None:
        follow_up = read_follow_up(said, self.memory)
        if follow_up is None:
            return None
        artifact = await choose(self.session, follow_up, self.memory)
        return resolve(follow_up, artifact, text_of(self.session.store, artifact.name))

    async def _alone(self, said: str, resolved: Resolved, specialist: str, hear: OnEvent) -> RunResult:
        """One specialist, one subtask: the rules know already who is to do it."""
        name = resolved.artifact.name
        subtask = Subtask(id="s1", specialist=specialist, instruction=resolved.instruction, documents=(name,))
        plan = Plan(planner="follow-up", subtasks=(subtask,))
        return await drive_plan(self.session, said, plan, [name], on_event=hear)

    def _listener(self, on_event: OnEvent | None) -> OnEvent:
        """Lists a run as soon as it has begun, so that one that is cut off is found again."""

        def hear(event: Event) -> None:
            if isinstance(event, RunStarted):
                self.session.store.sessions.add_run(self.id, event.run)
            if on_event is not None:
                on_event(event)

        return hear

    async def _remember(self, result: RunResult) -> RunResult:
        self.memory.note(result)
        await self.keep()
        return result

    async def take_up(self, result: RunResult) -> None:
        """Remember a run that was made or finished otherwise."""
        self.session.store.sessions.add_run(self.id, result.run)
        await self._remember(result)

    async def undo(self) -> str | None:
        """Forget the last run; it stays in the store. Its id, None where there is none."""
        last = next(iter(self.runs()), None)
        if last is not None:
            await self.session.store.sessions.drop_run(self.id, last)
            self.memory.forget(last)
            await self.keep()
        return last

    async def keep(self) -> None:
        """Write down what is remembered. Raises StoreError."""
        self.state["memory"] = self.memory.to_json()
        await self.session.store.sessions.save(self.id, self.state)
