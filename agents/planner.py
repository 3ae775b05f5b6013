"""The first planner of the ladder: rules and nearest examples, no model call.

Splits the request into clauses, routes each, and wires them by what they refer to. Whatever the text, the result is
a valid plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.agents.clauses import MAX_SPLIT_CHARACTERS, Clause, split
from nonet.agents.cues import GENERAL, RETRIEVAL, SUMMARIZATION
from nonet.agents.documents import (
    DocumentInfo,
    documents_read,
    for_one,
    named_documents,
    named_in_collection,
    wants_each,
)
from nonet.agents.masking import mask
from nonet.agents.plan import MAX_SUBTASKS, Plan, Routing, Subtask
from nonet.agents.references import Known, inputs_of
from nonet.agents.router import Request, Routed, Router

__all__ = ["DocumentInfo", "RulePlanner"]

_READERS = frozenset({SUMMARIZATION, GENERAL})
"""Specialists that read attached documents whole; a user's own do so too."""
_SAME = re.compile(r"\b(?:do (?:exactly )?)?(?:the )?same (?:for|with|to)\s+(.+?)[\s.]*$", re.IGNORECASE)
_MAX_COPIES = 6
"""Documents that "each" is unfolded over; more are read together."""


@dataclass(slots=True)
class _Step:
    """A subtask in the making; `reads` are positions of earlier steps."""

    clause: Clause
    routed: Routed
    documents: tuple[str, ...]
    reads: tuple[int, ...] = ()


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
            collection: what retrieval can search; a document of it that the request names is attached.

        Raises:
            ValueError: the task is blank.
        """
        if not task.strip():
            raise ValueError("a blank task has no plan")
        notes: list[str] = []
        if len(task) > MAX_SPLIT_CHARACTERS:
            notes.append(f"The request is {len(task)} characters long, so it was not searched for parts.")
        attached = attached or _named(task, collection)
        clauses = self._bounded(_unfolded(split(task), attached), notes)
        routed = await self._router.route_many(
            [Request(clause.text, _has_document(clause, attached), clause.masked) for clause in clauses]
        )
        steps = _ordered(_joined([_Step(c, r, ()) for c, r in zip(clauses, routed, strict=True)], bool(attached)))
        _wire(steps, attached)
        plan = Plan(planner=self.name, subtasks=_subtasks(steps, notes), notes=tuple([*notes, *_doubts(steps)]))
        plan.check(self._router.names, self._max_subtasks)
        return plan

    def _bounded(self, clauses: Sequence[Clause], notes: list[str]) -> list[Clause]:
        """At most as many clauses as a plan may have; the rest stand together in the last one."""
        if len(clauses) <= self._max_subtasks:
            return list(clauses)
        kept = list(clauses[: self._max_subtasks - 1])
        rest = clauses[self._max_subtasks - 1 :]
        notes.append(
            f"The request has {len(clauses)} parts and a plan at most {self._max_subtasks} subtasks: "
            f"the last {len(rest)} parts stand together in s{self._max_subtasks}."
        )
        text = "\n".join(clause.text for clause in rest)
        return [*kept, Clause(text, mask(text), "whole")]


def _named(task: str, collection: Sequence[DocumentInfo]) -> tuple[DocumentInfo, ...]:
    """Documents of the collection that the request names are read as if attached."""
    names = named_in_collection(task[:MAX_SPLIT_CHARACTERS], collection)
    return tuple(document for document in collection if document.name in names)


def _has_document(clause: Clause, attached: Sequence[DocumentInfo]) -> bool:
    return bool(attached)


def _unfolded(clauses: Sequence[Clause], attached: Sequence[DocumentInfo]) -> list[Clause]:
    """ "Each" becomes a clause a document, "do the same for d2" the clause before it about d2."""
    found: list[Clause] = []
    for clause in clauses:
        same = _SAME.search(clause.text) if clause.kind == "same" and found else None
        if same:
            text = f"{found[-1].text.rstrip(' .')}. Do this for {same.group(1)}."
            found.append(replace(clause, text=text, masked=clause.masked))
            continue
        chosen = named_documents(clause.masked, clause.text, attached) or tuple(item.name for item in attached)
        if 2 <= len(chosen) <= _MAX_COPIES and wants_each(clause.masked) and not any(c.kind == "copy" for c in found):
            for name in chosen:
                text = for_one(clause.text, name)
                found.append(replace(clause, text=text, masked=f"{mask(text)} \u00ab{name}\u00bb", kind="copy"))
            continue
        found.append(clause)
    return found


def _joined(steps: Sequence[_Step], has_document: bool) -> list[_Step]:
    """Neighbours that one call can do become one: small talk, and questions about the attached documents."""
    found: list[_Step] = []
    for step in steps:
        last = found[-1] if found else None
        if (
            last
            and step.clause.item is None
            and last.routed.specialist == step.routed.specialist
            and (
                step.routed.specialist == GENERAL
                or (
                    has_document
                    and step.routed.specialist == SUMMARIZATION
                    and {last.clause.kind, step.clause.kind} == {"question"}
                )
            )
        ):
            text = f"{last.clause.text} {step.clause.text}"
            last.clause = replace(last.clause, text=text, masked=f"{last.clause.masked} {step.clause.masked}")
            continue
        found.append(step)
    return found


def _ordered(steps: Sequence[_Step]) -> list[_Step]:
    """What has to happen before its predecessor is put before it, and read by it."""
    found: list[_Step] = []
    for step in steps:
        backwards = step.clause.reversed or (
            step.clause.kind in {"passive", "retrieval"}
            and re.search(r"\b(?:first|beforehand)\b[\s.]*", step.clause.masked) is not None
            and step.routed.specialist == RETRIEVAL
        )
        if backwards and found and not step.clause.opening.startswith("first"):
            main = found.pop()
            found.extend((step, main))
            main.clause = replace(main.clause, opening=f"{main.clause.opening} based on that")
        else:
            found.append(step)
    return found


def _wire(steps: Sequence[_Step], attached: Sequence[DocumentInfo]) -> None:
    """Give every step the documents and the earlier steps it reads."""
    known: list[Known] = []
    for step in steps:
        clause, specialist = step.clause, step.routed.specialist
        named = named_documents(clause.masked, clause.text, attached)
        own = bool(named) or bool(attached and re.search(r"\b(?:attach|enclosed)", clause.masked, re.IGNORECASE))
        if clause.kind not in {"copy", "same"}:
            step.reads = inputs_of(clause.masked, clause.opening, specialist, known, reads_documents=own)
        if specialist != RETRIEVAL and (named or (not step.reads and (specialist in _READERS or own))):
            step.documents = _copied(clause, attached) or documents_read(clause.masked, clause.text, attached)
        known.append(Known(specialist, clause.masked, step.reads))


def _copied(clause: Clause, attached: Sequence[DocumentInfo]) -> tuple[str, ...]:
    """The one document a copy is about."""
    if clause.kind != "copy":
        return ()
    name = clause.masked.rsplit("\u00ab", 1)[-1].rstrip("\u00bb")
    return (name,) if any(document.name == name for document in attached) else ()


def _subtasks(steps: Sequence[_Step], notes: list[str]) -> tuple[Subtask, ...]:
    """The steps as subtasks; one that repeats another is left out, and what read it reads the other."""
    ids: list[str] = []
    found: list[Subtask] = []
    seen: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], str] = {}
    for step in steps:
        inputs = tuple(dict.fromkeys(ids[number] for number in step.reads))
        key = (step.routed.specialist, step.clause.text.casefold().strip(), inputs, step.documents)
        if key in seen:
            ids.append(seen[key])
            notes.append(f"One part repeats {seen[key]} and is done once.")
            continue
        name = f"s{len(found) + 1}"
        seen[key] = name
        ids.append(name)
        found.append(
            Subtask(
                id=name,
                specialist=step.routed.specialist,
                instruction=step.clause.text,
                inputs=inputs,
                documents=step.documents,
                routing=step.routed.routing,
            )
        )
    return tuple(found)


def _doubts(steps: Sequence[_Step]) -> list[str]:
    """A note for every routing below its margin."""
    unsure: list[Routing] = [step.routed.routing for step in steps]
    return [
        f"Not sure that {step.routed.specialist} is right for: {step.clause.text[:80]}"
        for step, routing in zip(steps, unsure, strict=True)
        if not routing.sure
    ]
