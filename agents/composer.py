"""Puts the subtasks' results together into one answer, by code: nothing is reworded, so nothing is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nonet.agents.clauses import MAX_SPLIT_CHARACTERS, split
from nonet.agents.plan import Plan, Subtask
from nonet.specialists import Citation, Verdict

_HEADING_CHARACTERS = 72


@dataclass(frozen=True, slots=True)
class SubtaskText:
    """What one subtask gave."""

    text: str
    verdict: Verdict
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Composition:
    """The answer to a task."""

    answer: str
    citations: tuple[Citation, ...]
    """Of everything that went into the answer, in plan order, each once."""


def compose(task: str, plan: Plan, results: Mapping[str, SubtaskText], left_out: Sequence[Subtask] = ()) -> Composition:
    """One leaf: its text as it is. Several: sections in plan order. What failed or was not run is named.

    A question that the user asked is answered also where another part only builds on it.

    Args:
        task: what the user asked; the answer's heading where nothing else can be said.
        plan: the plan that ran.
        results: subtask id -> result; absent where it was not run.
        left_out: what failed and was dropped from the plan.
    """
    last = set(plan.leaves())
    leaves = [each for each in plan.subtasks if each.id in last or (each.id in results and _is_asked(task, each))]
    if len(leaves) == 1:
        answer = _alone(leaves[0], results)
    else:
        answer = "\n\n".join(
            f"## {number}. {_heading(leaf)}\n\n{_alone(leaf, results)}" for number, leaf in enumerate(leaves, 1)
        )
    dropped = "\n".join(
        f"[{each.id} ({each.specialist}) failed, and this goes on without it: {_heading(each)}]" for each in left_out
    )
    lacks = "\n".join(filter(None, (_lacks(plan, results, {leaf.id for leaf in leaves}), dropped)))
    if lacks:
        answer = f"{answer}\n\n{lacks}".strip()
    citations = dict.fromkeys(
        citation for subtask in plan.subtasks if subtask.id in results for citation in results[subtask.id].citations
    )
    return Composition(answer or f"No answer to: {_cut(task)}", tuple(citations))


def _is_asked(task: str, subtask: Subtask) -> bool:
    """Whether it is a question in the user's own words: what a planner asks on the way is not."""
    question = subtask.instruction.strip()
    if len(question) > MAX_SPLIT_CHARACTERS or question not in task or question == task.strip():
        return False
    return split(question)[0].kind == "question"


def _alone(leaf: Subtask, results: Mapping[str, SubtaskText]) -> str:
    """One leaf's text; where there is none or it failed, that is said in its place."""
    result = results.get(leaf.id)
    if result is None:
        return f"[{leaf.id} ({leaf.specialist}) was not run.]"
    text = result.text.strip()
    if result.verdict is not Verdict.FAILED:
        return text or f"[{leaf.id} ({leaf.specialist}) gave no text.]"
    if not text:
        return f"[{leaf.id} ({leaf.specialist}) failed and gave nothing.]"
    return f"[{leaf.id} ({leaf.specialist}) failed its checks; this is what it gave.]\n\n{text}"


def _lacks(plan: Plan, results: Mapping[str, SubtaskText], leaves: set[str]) -> str:
    """A line for every step behind the leaves that failed or was not run."""
    lines = []
    for subtask in plan.subtasks:
        if subtask.id in leaves:
            continue
        result = results.get(subtask.id)
        if result is None:
            lines.append(f"[{subtask.id} ({subtask.specialist}), which this builds on, was not run.]")
        elif result.verdict is Verdict.FAILED:
            lines.append(f"[{subtask.id} ({subtask.specialist}), which this builds on, failed.]")
    return "\n".join(lines)


def _heading(subtask: Subtask) -> str:
    """The instruction's first words, capitalised, on one line and without Markdown's heading sign."""
    text = _cut(subtask.instruction.lstrip("# "))
    return text[:1].upper() + text[1:]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _HEADING_CHARACTERS:
        return line.rstrip(".:;,")
    return f"{line[:_HEADING_CHARACTERS].rsplit(' ', 1)[0].rstrip('.:;, ')}\u2026"
