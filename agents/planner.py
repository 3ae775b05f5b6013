"""The first planner of the ladder: rules and nearest examples.

Splits the request into clauses, routes each, and wires them by what they refer to. Whatever the text, the result is
a valid plan. No model is asked, unless there is one that was seen to choose well: then it is asked what the rules
leave open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nonet.agents.clauses import MAX_SPLIT_CHARACTERS, Clause, asking, split, whole
from nonet.agents.cues import GENERAL, RETRIEVAL, SUMMARIZATION
from nonet.agents.documents import DocumentInfo
from nonet.agents.doubts import rule_doubts
from nonet.agents.masking import mask
from nonet.agents.opinion import SecondOpinion
from nonet.agents.plan import MAX_SUBTASKS, Plan, Routing, Subtask
from nonet.agents.protocol import SoFar
from nonet.agents.reach import Reach, reach_of, reads_whole
from nonet.agents.references import has_matter
from nonet.agents.revision import revised
from nonet.agents.router import Request, Routed, Router
from nonet.agents.steps import Step, by_hops, from_memory, joined, ordered, supplied, wire
from nonet.agents.unfold import unfolded

__all__ = ["DocumentInfo", "RulePlanner"]


class RulePlanner:
    """Plans by rules and nearest examples.

    Args:
        router: routes the clauses.
        max_subtasks: bound on a plan's size, at least 1.
        max_depth: bound on how many subtasks build on one another; a plan that would be deeper is one subtask.
        hops: whether a question that rests on another ("the spouse of the director of X") is asked step by step.
        memory: whether the plan is to be carried out with the documents there are, so that what would be looked up
            where there is none goes to the model itself. Otherwise it is the plan for when they are there.
        opinion: asks a model what the rules leave open; None where there is none that chooses better than chance.
    """

    name = "rules"

    def __init__(
        self,
        router: Router,
        *,
        max_subtasks: int = MAX_SUBTASKS,
        max_depth: int | None = None,
        hops: bool = True,
        memory: bool = False,
        opinion: SecondOpinion | None = None,
    ) -> None:
        self._router = router
        self._opinion = opinion
        self._hops = hops
        self._memory = memory
        self._max_subtasks = max(1, max_subtasks)
        self._max_depth = self._max_subtasks if max_depth is None else max(1, max_depth)

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
        parts = split(task)
        reach = reach_of(parts, attached, collection, task=task, as_things_are=self._memory)
        if self._opinion is not None:
            self._opinion.begin()
        clauses = self._bounded(unfolded(parts, reach.attached, reach.collection), notes)
        plan = await self._wired(clauses, reach)
        if plan.depth() > self._max_depth:
            notes.append(f"More than {self._max_depth} parts build on one another, so all stand together in one.")
            plan = await self._wired([whole(task)], replace(reach, collection=()))
        plan.check(self._router.names, self._max_subtasks, self._max_depth)
        return plan.model_copy(update={"notes": (*notes, *plan.notes)})

    async def _wired(self, clauses: Sequence[Clause], reach: Reach) -> Plan:
        """The clauses routed, ordered and wired."""
        notes: list[str] = []
        attached, collection = reach.attached, reach.collection
        routed = await self._routed(clauses, reach)
        told = not reach.nothing
        if reach.nothing and GENERAL in self._router.names:
            asked = from_memory(routed)
            if asked != routed:
                told = True
                whose = "the model itself is asked" if self._memory else "as things are, a run asks the model itself"
                notes.append(f"There are no documents to search: {whose}.")
            routed = asked if self._memory else routed
        steps = ordered(joined(routed, has_document=bool(attached)))
        wire(steps, attached)
        await self._ask_reads(steps)
        if self._hops and len(steps) == 1:
            steps = by_hops(steps[0], min(self._max_subtasks, self._max_depth))
        if reach.how == "presumed":
            for step in steps:
                step.documents = ()
            if {SUMMARIZATION, RETRIEVAL} <= self._router.names and self._max_depth > 1:
                steps = supplied(steps, collection, self._max_subtasks)
        subtasks = _subtasks(steps, notes)
        notes.extend(_lacks(steps, search=not told))
        doubts = tuple(rule_doubts(steps, subtasks, has_document=bool(attached)))
        return Plan(planner=self.name, subtasks=subtasks, notes=(*notes, *doubts), doubts=doubts)

    async def revise(
        self,
        task: str,  # noqa: ARG002  what is left to do stands in the plan
        so_far: SoFar,
        *,
        attached: Sequence[DocumentInfo] = (),
        collection: Sequence[DocumentInfo] = (),
    ) -> Plan | None:
        """As Planner.revise: what else the words of the failed parts could have meant."""
        return await revised(
            so_far,
            self._router,
            max_subtasks=self._max_subtasks,
            max_depth=self._max_depth,
            has_documents=bool(attached or collection),
        )

    async def _routed(self, clauses: Sequence[Clause], reach: Reach) -> list[Step]:
        wholes = [reads_whole(clause, reach) for clause in clauses]
        requests = [
            Request(clause.text, reads, asking(clause, has_document=reads))
            for clause, reads in zip(clauses, wholes, strict=True)
        ]
        routed = await self._router.route_many(requests)
        return [
            Step(clause, await self._ask_specialist(clause, result))
            for clause, result in zip(clauses, routed, strict=True)
        ]

    async def _ask_specialist(self, clause: Clause, routed: Routed) -> Routed:
        """Let a model choose where the margin is too small; its choice counts where it is clear."""
        if self._opinion is None or routed.routing.sure:
            return routed
        choice = await self._opinion.specialist(clause.text, routed.scores)
        if choice is None or not choice.sure:
            return routed
        routing = Routing(method="model", margin=round(choice.margin, 4), nearest=routed.routing.nearest)
        return Routed(choice.name, routing, routed.scores)

    async def _ask_reads(self, steps: Sequence[Step]) -> None:
        """Let a model say which earlier steps a step reads where its words leave that open."""
        if self._opinion is None:
            return
        for number, step in enumerate(steps):
            if step.unclear:
                reads = await self._opinion.reads(step.clause.text, [each.clause.text for each in steps[:number]])
                if reads is not None:
                    step.reads = [steps[place] for place in reads]

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


def _subtasks(steps: Sequence[Step], notes: list[str]) -> tuple[Subtask, ...]:
    """The steps as subtasks; one that repeats another is left out, and what read it reads the other."""
    ids: dict[int, str] = {}
    found: list[Subtask] = []
    seen: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], str] = {}
    for step in steps:
        inputs = tuple(sorted({ids[id(other)] for other in step.reads}, key=lambda name: int(name[1:])))
        key = (step.specialist, step.clause.text.casefold().strip(), inputs, step.documents)
        if key in seen:
            ids[id(step)] = seen[key]
            notes.append(f"A part repeats {seen[key]} and is done once.")
            continue
        seen[key] = ids[id(step)] = f"s{len(found) + 1}"
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


def _lacks(steps: Sequence[Step], *, search: bool) -> list[str]:
    """What the plan needs and nobody gave; `search`: there is nothing to search, and it was not said."""
    notes = []
    if search and any(step.specialist == RETRIEVAL for step in steps):
        notes.append("There are no documents to search.")
    if any(
        step.specialist == SUMMARIZATION and not (step.reads or step.documents or has_matter(step.clause))
        for step in steps
    ):
        notes.append("There is a summary to write and no document to read.")
    return notes
