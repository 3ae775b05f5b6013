"""The first planner of the ladder: rules and nearest examples, no model call.

Splits the request into clauses, routes each, and wires them by what they refer to. Whatever the text, the result is
a valid plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nonet.agents.clauses import MAX_SPLIT_CHARACTERS, Clause, split
from nonet.agents.cues import CODE, GENERAL, RETRIEVAL, SUMMARIZATION
from nonet.agents.documents import DocumentInfo, named_documents, named_in_collection
from nonet.agents.heads import hide_before
from nonet.agents.lexicon import STORE_NOUN, compiled
from nonet.agents.masking import mask
from nonet.agents.plan import MAX_SUBTASKS, Plan, Subtask
from nonet.agents.references import Known, points_outside, reads_of
from nonet.agents.router import Request, Routed, Router
from nonet.agents.unfold import unfolded

__all__ = ["DocumentInfo", "RulePlanner"]

_MANY_DOCUMENTS = 3
"""Up to this many attached documents a question is answered by reading them whole; of more, by searching them."""
_ATTACHED = compiled(r"\b(?:attach(?:ed|ments?)|enclosed)\b")
_STORE = compiled(rf"\b(?:the|our|my|these|those|all|your) (?:\w+ ){{0,2}}?{STORE_NOUN}\b")
_FIRST = compiled(r"\bbe (?:\w+ ){1,2}first\b|\b(?:first|beforehand)\W*$|^\W*(?:but )?first\b")
_SHOWN_CHARACTERS = 80


@dataclass(slots=True, eq=False)
class _Step:
    """A subtask in the making."""

    clause: Clause
    routed: Routed
    documents: tuple[str, ...] = ()
    needs: list[_Step] = field(default_factory=list)
    """Steps that were asked for after it but have to come before it."""
    reads: tuple[int, ...] = ()
    """Positions of the earlier steps it reads."""

    @property
    def specialist(self) -> str:
        return self.routed.specialist


class RulePlanner:
    """Plans by rules and nearest examples.

    Args:
        router: routes the clauses.
        max_subtasks: bound on a plan's size, at least 1.
    """

    name = "rules"

    def __init__(self, router: Router, *, max_subtasks: int = MAX_SUBTASKS) -> None:
        self._router = router
        self._max_subtasks = max(1, max_subtasks)

    async def plan(
        self, task: str, *, attached: Sequence[DocumentInfo] = (), collection: Sequence[DocumentInfo] = ()
    ) -> Plan:
        """A valid plan for any text that is not blank.

        Args:
            task: what the user asked.
            attached: the documents the request is about; summaries read them whole.
            collection: what retrieval can search; a document of it that the request names counts as attached.

        Raises:
            ValueError: the task is blank.
        """
        if not task.strip():
            raise ValueError("a blank task has no plan")
        notes: list[str] = []
        if len(task) > MAX_SPLIT_CHARACTERS:
            notes.append(f"The request is {len(task):,} characters long, so it was not searched for parts.")
        attached = attached or _named(task, collection)
        clauses = self._bounded(unfolded(split(task), attached), notes)
        steps = _ordered(_joined(await self._routed(clauses, attached), has_document=bool(attached)))
        _wire(steps, attached)
        subtasks = _subtasks(steps, notes)
        plan = Plan(planner=self.name, subtasks=subtasks, notes=(*notes, *_doubts(subtasks)))
        plan.check(self._router.names, self._max_subtasks)
        return plan

    async def _routed(self, clauses: Sequence[Clause], attached: Sequence[DocumentInfo]) -> list[_Step]:
        requests = [
            Request(clause.text, _reads_whole(clause, attached), hide_before(clause.masked)) for clause in clauses
        ]
        routed = await self._router.route_many(requests)
        return [_Step(clause, result) for clause, result in zip(clauses, routed, strict=True)]

    def _bounded(self, clauses: Sequence[Clause], notes: list[str]) -> list[Clause]:
        """At most as many clauses as a plan may have; the rest stand together in the last one."""
        if len(clauses) <= self._max_subtasks:
            return list(clauses)
        kept, rest = clauses[: self._max_subtasks - 1], clauses[self._max_subtasks - 1 :]
        notes.append(
            f"The request has {len(clauses)} parts and a plan at most {self._max_subtasks} subtasks: "
            f"the last {len(rest)} parts stand together in one."
        )
        text = "\n".join(clause.text for clause in rest)
        return [*kept, Clause(text, mask(text[:MAX_SPLIT_CHARACTERS]))]


def _named(task: str, collection: Sequence[DocumentInfo]) -> tuple[DocumentInfo, ...]:
    """Documents of the collection that the request names are read as if attached."""
    names = set(named_in_collection(task[:MAX_SPLIT_CHARACTERS], collection))
    return tuple(document for document in collection if document.name in names)


def _reads_whole(clause: Clause, attached: Sequence[DocumentInfo]) -> bool:
    """Whether the clause has a document to read.

    A question to many documents has to search them, and so has one to "the archive", unless that is what is attached.
    """
    if not attached or clause.kind != "question":
        return bool(attached)
    searched = _STORE.search(clause.masked) and not named_documents(clause.masked, clause.text, attached)
    return len(attached) <= _MANY_DOCUMENTS and not searched


def _joined(steps: Sequence[_Step], *, has_document: bool) -> list[_Step]:
    """Neighbours that one call can do become one: small talk, and questions about the attached documents."""
    found: list[_Step] = []
    for step in steps:
        if found and step.clause.item is None and _one_call(found[-1], step, has_document=has_document):
            before, clause = found[-1].clause, step.clause
            found[-1].clause = replace(
                before, text=f"{before.text} {clause.text}", masked=f"{before.masked} {clause.masked}"
            )
        else:
            found.append(step)
    return found


def _one_call(first: _Step, second: _Step, *, has_document: bool) -> bool:
    if first.specialist != second.specialist:
        return False
    questions = first.clause.kind == second.clause.kind == "question"
    return first.specialist == GENERAL or (has_document and first.specialist == SUMMARIZATION and questions)


def _ordered(steps: Sequence[_Step]) -> list[_Step]:
    """What has to happen before the step before it is put there, and read by that step."""
    found: list[_Step] = []
    for step in steps:
        if found and _comes_before(step, found[-1]):
            found[-1].needs.append(step)
            found.insert(len(found) - 1, step)
        else:
            found.append(step)
    return found


def _comes_before(step: _Step, main: _Step) -> bool:
    """Whether it is a "before that, look up", an "it has to be looked up first", or what a function needs."""
    if step.clause.reversed:
        return True
    if step.specialist != RETRIEVAL or main.specialist == RETRIEVAL:
        return False
    words = step.clause.masked.split(". ")[0]
    if step.clause.kind in {"passive", "retrieval"} and _FIRST.search(words):
        return True
    return main.specialist == CODE and points_outside(words, RETRIEVAL)


def _wire(steps: Sequence[_Step], attached: Sequence[DocumentInfo]) -> None:
    """Give every step the documents and the earlier steps it reads."""
    known: list[Known] = []
    places = {id(step): number for number, step in enumerate(steps)}
    needed = {id(need) for step in steps for need in step.needs}
    for step in steps:
        clause = step.clause
        named = (clause.about,) if clause.about else named_documents(clause.masked, clause.text, attached)
        own = bool(named) or bool(attached and _ATTACHED.search(clause.masked))
        if clause.kind != "copy" and id(step) not in needed:
            step.reads = reads_of(clause, step.specialist, known, reads_documents=own)
        if step.needs:
            step.reads = tuple(sorted({places[id(need)] for need in step.needs}))
        step.documents = _documents(step, named, attached, own=own)
        known.append(Known(step.specialist, clause.masked, step.reads))


def _documents(step: _Step, named: tuple[str, ...], attached: Sequence[DocumentInfo], *, own: bool) -> tuple[str, ...]:
    """The documents a step reads whole: those it names, else all attached ones unless it reads earlier steps."""
    if step.specialist == RETRIEVAL:
        return ()
    if named:
        return named
    if own or (not step.reads and step.specialist != CODE):
        return tuple(document.name for document in attached)
    return ()


def _subtasks(steps: Sequence[_Step], notes: list[str]) -> tuple[Subtask, ...]:
    """The steps as subtasks; one that repeats another is left out, and what read it reads the other."""
    ids: list[str] = []
    found: list[Subtask] = []
    seen: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], str] = {}
    for step in steps:
        inputs = tuple(dict.fromkeys(ids[number] for number in step.reads))
        key = (step.specialist, step.clause.text.casefold().strip(), inputs, step.documents)
        if key in seen:
            ids.append(seen[key])
            notes.append(f"A part repeats {seen[key]} and is done once.")
            continue
        seen[key] = f"s{len(found) + 1}"
        ids.append(seen[key])
        found.append(
            Subtask(
                id=seen[key],
                specialist=step.specialist,
                instruction=step.clause.text,
                inputs=inputs,
                documents=step.documents,
                routing=step.routed.routing,
            )
        )
    return tuple(found)


def _doubts(subtasks: Sequence[Subtask]) -> list[str]:
    """A note for every routing below its margin."""
    return [
        f"Not sure that {subtask.specialist} is right for {subtask.id}: {subtask.instruction[:_SHOWN_CHARACTERS]}"
        for subtask in subtasks
        if subtask.routing and not subtask.routing.sure
    ]
