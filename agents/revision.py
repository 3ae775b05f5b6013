"""A new remainder for a plan of which something failed, by rules: what else the same words could have meant.

Nothing here asks a model or reads a result. What can be tried anew is another specialist where the first choice was
not sure, a question asked as a whole instead of step by step or the other way round, for what builds on several
results, going on with those that are there, a summary in the place of a text that fits no window, and, where there is
no document to search at all, what the model knows by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nonet.agents.cues import GENERAL, RETRIEVAL, SUMMARIZATION
from nonet.agents.hops import inner_questions
from nonet.agents.plan import Plan, Routing, Subtask
from nonet.agents.protocol import SoFar
from nonet.agents.router import Request, Router

DOES_NOT_FIT = "context"
"""The kind of evidence of a prompt that was refused because it does not fit the window."""
_PLAUSIBLE = 0.3
"""A score from which a specialist is worth a second try: below it nothing in the words speaks for it."""


async def revised(
    so_far: SoFar, router: Router, *, max_subtasks: int, max_depth: int, has_documents: bool = True
) -> Plan | None:
    """The first revision that leaves something new to do, or None.

    Args:
        has_documents: there is something that retrieval can search.
    """
    bounds = router.names, max_subtasks, max_depth
    for failed in (subtask for subtask in so_far.plan.subtasks if subtask.id in so_far.failed):
        tries = [*_from_memory(so_far, failed, has_documents=has_documents), *_summed_up(so_far, failed)]
        tries += [*_as_a_whole(so_far, failed), *_by_steps(so_far, failed), *_without(so_far, failed)]
        for new, note in tries:
            if (plan := _accepted(so_far, new, note, *bounds)) is not None:
                return plan
        if (found := await _rerouted(so_far, failed, router)) is not None:
            new, note = found
            if (plan := _accepted(so_far, new, note, *bounds)) is not None:
                return plan
    return None


def remainder(plan: Plan, finished: frozenset[str]) -> tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]:
    """What is left to do, so that two plans which leave the same can be told; ids that are not finished do not count.

    A finished input counts by its id, any other by its place.
    """
    places = {subtask.id: f"#{number}" for number, subtask in enumerate(plan.subtasks)}
    left = [subtask for subtask in plan.subtasks if subtask.id not in finished]
    places.update({subtask.id: f"#{number}" for number, subtask in enumerate(left)})
    return tuple(
        (
            subtask.specialist,
            subtask.instruction.casefold().strip(),
            tuple(name if name in finished else places[name] for name in subtask.inputs),
            subtask.documents,
        )
        for subtask in left
    )


def fresh_ids(so_far: SoFar) -> Iterator[str]:
    """Ids that no plan of the run has used."""
    used = [int(subtask.id[1:]) for plan in (so_far.plan, *so_far.earlier) for subtask in plan.subtasks]
    number = max(used)
    while True:
        number += 1
        yield f"s{number}"


def _accepted(  # noqa: PLR0917  the last three are the bounds of every plan
    so_far: SoFar, subtasks: Sequence[Subtask], note: str, names: frozenset[str], max_subtasks: int, max_depth: int
) -> Plan | None:
    """The plan, if it is valid and leaves something else to do than any plan before it."""
    try:
        plan = Plan(planner="rules", subtasks=tuple(subtasks), notes=(*so_far.plan.notes, note))
        plan.check(names, max_subtasks, max_depth)
    except ValueError:
        return None
    left = remainder(plan, so_far.finished)
    if not left or any(left == remainder(old, so_far.finished) for old in (so_far.plan, *so_far.earlier)):
        return None
    return plan


def _replaced(so_far: SoFar, gone: frozenset[str], old: str, new: Sequence[Subtask]) -> list[Subtask]:
    """The subtasks without those that are gone, `new` in the place of `old`; what read it reads the last new one."""
    found: list[Subtask] = []
    for subtask in so_far.plan.subtasks:
        if subtask.id == old:
            found.extend(new)
        elif subtask.id not in gone:
            inputs = tuple(new[-1].id if name == old else name for name in subtask.inputs)
            found.append(subtask if inputs == subtask.inputs else subtask.model_copy(update={"inputs": inputs}))
    return found


def _from_memory(so_far: SoFar, failed: Subtask, *, has_documents: bool) -> Iterator[tuple[list[Subtask], str]]:
    """Where there is no document at all, a question goes to the model itself: nothing will prove its answer.

    With documents, that nothing was found in them is the answer: made up words would be worse.
    """
    if has_documents or failed.specialist != RETRIEVAL:
        return
    direct = failed.model_copy(update={"id": next(fresh_ids(so_far)), "specialist": GENERAL, "routing": None})
    yield (
        _replaced(so_far, frozenset(), failed.id, [direct]),
        "There is no document to search: the model itself is asked.",
    )


def _summed_up(so_far: SoFar, failed: Subtask) -> Iterator[tuple[list[Subtask], str]]:
    """What is too long for every window is summed up first, with the request as what the summary is to speak of."""
    if DOES_NOT_FIT not in so_far.failed[failed.id] or failed.specialist in (RETRIEVAL, SUMMARIZATION):
        return
    if not failed.inputs and not failed.documents:
        return
    ids = fresh_ids(so_far)
    summary = failed.model_copy(update={"id": next(ids), "specialist": SUMMARIZATION, "routing": None})
    short = failed.model_copy(update={"id": next(ids), "inputs": (summary.id,), "documents": ()})
    note = f"What {failed.id} reads fits no window: {short.id} reads a summary of it."
    yield _replaced(so_far, frozenset(), failed.id, [summary, short]), note


def _as_a_whole(so_far: SoFar, failed: Subtask) -> Iterator[tuple[list[Subtask], str]]:
    """A question that was asked step by step is asked as it stands, when one of its steps failed."""
    plan = so_far.plan
    hops = _hops_before(plan, failed)
    final = failed
    while (readers := [each for each in plan.subtasks if final.id in each.inputs]) and len(readers) == 1:
        reader = readers[0]
        if reader.specialist != RETRIEVAL or not reader.instruction.rstrip().endswith("?"):
            break
        final, hops = reader, _hops_before(plan, reader)
    if not hops or final.specialist != RETRIEVAL or not inner_questions(final.instruction):
        return
    whole = final.model_copy(update={"id": next(fresh_ids(so_far)), "inputs": ()})
    gone = frozenset(hops) - so_far.finished
    yield _replaced(so_far, gone, final.id, [whole]), "Asked as a whole, because asking step by step failed."


def _hops_before(plan: Plan, subtask: Subtask) -> tuple[str, ...]:
    """The look-ups that only lead to this one."""
    found: list[str] = []
    waiting = list(subtask.inputs)
    while waiting:
        name = waiting.pop()
        hop = plan.subtask(name)
        if hop.specialist == RETRIEVAL and name not in found:
            found.append(name)
            waiting.extend(hop.inputs)
    return tuple(found)


def _by_steps(so_far: SoFar, failed: Subtask) -> Iterator[tuple[list[Subtask], str]]:
    """A question that rests on another is asked step by step, when it failed as a whole."""
    if failed.specialist != RETRIEVAL or failed.inputs:
        return
    inner = inner_questions(failed.instruction)
    if not inner:
        return
    ids = fresh_ids(so_far)
    hops: list[Subtask] = []
    for one in inner:
        reads = tuple(hops[place].id for place in one.reads)
        hops.append(
            Subtask(id=next(ids), specialist=RETRIEVAL, instruction=one.question, inputs=reads, routing=failed.routing)
        )
    last = tuple(hops[number].id for number, one in enumerate(inner) if one.outermost)
    final = failed.model_copy(update={"id": next(ids), "inputs": last})
    yield _replaced(so_far, frozenset(), failed.id, [*hops, final]), "Asked step by step, because it failed as a whole."


def _without(so_far: SoFar, failed: Subtask) -> Iterator[tuple[list[Subtask], str]]:
    """What builds on several results goes on with those that are there."""
    readers = {each.id for each in so_far.plan.subtasks if failed.id in each.inputs}
    able = {
        each.id
        for each in so_far.plan.subtasks
        if each.id in readers and (each.documents or any(name in so_far.finished for name in each.inputs))
    }
    if not readers or able != readers:
        return
    new = []
    for each in so_far.plan.subtasks:
        if each.id == failed.id:
            continue
        kept = tuple(name for name in each.inputs if name != failed.id)
        new.append(each if kept == each.inputs else each.model_copy(update={"inputs": kept}))
    names = ", ".join(each.id for each in so_far.plan.subtasks if each.id in readers)
    yield new, f"{names} goes on without {failed.id}, which failed."


async def _rerouted(so_far: SoFar, failed: Subtask, router: Router) -> tuple[list[Subtask], str] | None:
    """The next best specialist, where the choice of the first was not sure."""
    if failed.routing is None or failed.routing.sure:
        return None
    tried = {
        each.specialist
        for plan in (so_far.plan, *so_far.earlier)
        for each in plan.subtasks
        if each.instruction == failed.instruction
    }
    (routed,) = await router.route_many((Request(failed.instruction, bool(failed.documents)),))
    for name in sorted(routed.scores, key=lambda name: -routed.scores[name]):
        if name not in tried and routed.scores[name] >= _PLAUSIBLE:
            routing = Routing(method=routed.routing.method, margin=0.0, sure=False, nearest=routed.routing.nearest)
            update = {"id": next(fresh_ids(so_far)), "specialist": name, "routing": routing}
            new = _replaced(so_far, frozenset(), failed.id, [failed.model_copy(update=update)])
            return new, f"{name} instead of {failed.specialist}, which failed at it and was not a sure choice."
    return None
