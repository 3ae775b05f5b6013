"""Plans, results and runs as lines of styled text. Everything that came from outside passes `clean` on its way in."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from nonet.flagged import flagged_lines
from nonet.terminal import is_plain, output_faults, write_out
from nonet.text import clean, one_line

if TYPE_CHECKING:
    from nonet.agents.plan import Plan, Routing, Subtask
    from nonet.graphs.ask import AskResult
    from nonet.graphs.budget import Limits
    from nonet.graphs.result import RunResult, RunUsage, SubtaskResult
    from nonet.specialists import Citation, Evidence

VERDICT_STYLES = {"verified": "green", "unverified": "yellow", "failed": "red"}
_INDENT = "  "
_FENCE = "```"


def console_for(stream: TextIO) -> Console:
    """A console that writes text as it is: no markup, no emoji codes, no highlighting, and no colour where unwanted."""
    plain = is_plain(stream)
    return Console(
        file=stream,
        force_terminal=not plain,
        color_system=None if plain else "auto",
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )


def text(*parts: str | tuple[str, str]) -> Text:
    """A line of parts, each cleaned; a part may be (text, style)."""
    line = Text()
    for part in parts:
        said, style = (part, "") if isinstance(part, str) else part
        line.append(clean(said), style)
    return line


def columns(rows: Sequence[Sequence[str]], styles: Sequence[str] = (), indent: str = _INDENT) -> list[Text]:
    """Rows with their columns aligned, all but the last padded. A verdict gets its own style."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells else []
    lines = []
    for row in cells:
        line = Text(indent)
        for i, cell in enumerate(row):
            style = VERDICT_STYLES.get(cell, styles[i] if i < len(styles) else "")
            line.append(cell if i == len(row) - 1 else cell.ljust(widths[i] + 2), style)
        line.rstrip()
        lines.append(line)
    return lines


def show(console: Console, lines: Iterable[Text]) -> None:
    """Print lines. A terminal gets prose wrapped between words; code, and all that goes to a file, stays as it is."""
    in_code = False
    for line in (part for each in lines for part in each.split("\n", allow_blank=True)):
        fence = line.plain.lstrip().startswith(_FENCE)
        console.print(line, soft_wrap=in_code or fence or not console.is_terminal)
        in_code = in_code != fence


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines on standard output. Raises as nonet.terminal.write_out."""
    console = console_for(sys.stdout)
    with output_faults(), console.capture() as captured:  # rich writes an empty text when it is done
        show(console, lines)
    write_out(captured.get())


def plan_lines(plan: Plan) -> list[Text]:
    """The plan, a subtask a line, and what its planner wants the user to know."""
    count = len(plan.subtasks)
    lines = [text(("Plan", "bold"), f" ({plan.planner}): {count} subtask{'s' if count != 1 else ''}")]
    lines += columns([[each.id, each.specialist, _work(each)] for each in plan.subtasks], ("bold", "cyan", ""))
    lines += [text(f"{_INDENT}note: ", one_line(note)) for note in plan.notes]
    return lines


def why_lines(plan: Plan) -> list[Text]:
    """Why the plan is as it is: how each subtask found its specialist, and which ways of planning were tried."""
    lines = [text(), text(("Why", "bold"))]
    for subtask in plan.subtasks:
        if subtask.routing is not None:
            lines += columns([[subtask.id, subtask.specialist, _routing(subtask.routing)]], ("bold", "cyan", ""))
            lines += [text(f"{_INDENT * 3}near: ", (one_line(example), "dim")) for example in subtask.routing.nearest]
    for tried in plan.tried:
        calls = f" ({tried.calls} call{'s' if tried.calls != 1 else ''})" if tried.calls else ""
        state = "used" if tried.used else "left"
        lines.append(text(f"{_INDENT}planner {tried.planner} {state}{calls}: ", one_line(tried.why)))
    if plan.model:
        lines.append(text(f"{_INDENT}model asked: ", one_line(plan.model)))
    return lines


_METHODS = {
    "rule": "by its wording",
    "embedding": "by the nearest examples",
    "lexical": "by the words it shares with examples",
    "model": "by a model's choice",
}


def _routing(routing: Routing) -> str:
    method = _METHODS.get(routing.method, routing.method)
    if routing.method == "model" and not routing.margin:  # it made the whole plan, and was not asked twice
        return method
    unsure = "" if routing.sure else ", which is not enough to be sure"
    return f"{method}, margin {routing.margin:.2f}{unsure}"


def _work(subtask: Subtask) -> str:
    reads = [*subtask.inputs, *subtask.documents]
    unsure = " (unsure)" if subtask.routing is not None and not subtask.routing.sure else ""
    return subtask.instruction + (f"  <- {', '.join(reads)}" if reads else "") + unsure


def result_lines(result: RunResult) -> list[Text]:
    """The answer, its sources, what was checked, what is missing, and what it cost."""
    lines: list[Text] = []
    if result.answer:
        lines += [text(result.answer), Text()]
    lines += citation_lines(result.citations)
    if result.subtasks:
        lines += [text(("Checks", "bold"))]
        lines += columns([_checked(subtask) for subtask in result.subtasks], ("bold", "cyan", "", "dim", "dim"))
        lines += [*_told(result.subtasks), Text()]
    lines += [text(("Missing: ", "bold red"), one_line(item)) for item in result.missing]
    verdict = str(result.verdict)
    lines.append(
        text(
            ("Verdict: ", "bold"),
            (verdict, VERDICT_STYLES.get(verdict, "")),
            "" if result.status in {"done", "failed"} else f" (the run is {result.status})",
            (f"  {usage_line(result.usage, result.budget)}", "dim"),
        )
    )
    return lines


def ask_lines(result: AskResult) -> list[Text]:
    """One specialist's output, its sources and its evidence."""
    lines = [text(result.output), Text()] if result.output else []
    lines += citation_lines(result.citations)
    lines += evidence_lines(result.evidence)
    lines += [text(_INDENT, one_line(line)) for line in flagged_lines(result.data)]
    verdict = str(result.verdict)
    cost = (f"  {result.model or '-'}, {usage_line(result.usage, result.budget)}", "dim")
    lines += [text(("Missing: ", "bold red"), one_line(item)) for item in result.missing]
    return [*lines, text(("Verdict: ", "bold"), (verdict, VERDICT_STYLES.get(verdict, "")), cost)]


def evidence_lines(evidence: Sequence[Evidence], indent: str = _INDENT) -> list[Text]:
    """Every check, and whether it passed."""
    words = {True: "passed", False: "failed", None: "not made"}
    return columns([[words[item.passed], item.kind, item.detail] for item in evidence], ("", "dim", ""), indent)


def _checked(subtask: SubtaskResult) -> list[str]:
    verdict = str(subtask.verdict) if subtask.verdict else "not run"
    tries = f"{subtask.attempts} attempt{'s' if subtask.attempts != 1 else ''}"
    return [subtask.id, subtask.specialist, verdict, subtask.model or "-", tries, deciding(subtask.evidence)]


def deciding(evidence: Sequence[Evidence]) -> str:
    """The first failed check; else what passed; else the first that could not be made; in words."""
    for wanted in (False, True, None):
        found = [item for item in evidence if item.passed is wanted]
        if found and wanted is True and (alike := sum(item.kind == found[0].kind for item in found)) > 1:
            return f"{found[0].kind}: {alike} passed"
        if found:
            return f"{found[0].kind}: {found[0].detail}"
    return ""


_TOLD = frozenset({"method", "quote", "sections"})
"""Kinds of evidence that say with what a part was answered: told beside what decided its verdict."""
_LONGEST_TOLD = 300


def _told(subtasks: Sequence[SubtaskResult]) -> list[Text]:
    """How a part was searched for where that was not by all means, and which quotes were taken out; each once.

    Of a summary also which sections it leaves out, and which of its sentences say what is not in the source.
    """
    found: dict[str, list[str]] = {}
    for subtask in subtasks:
        for item in subtask.evidence:
            if (
                item.kind in _TOLD
                and item.passed is None
                and deciding(subtask.evidence) != f"{item.kind}: {item.detail}"
            ):
                found.setdefault(item.detail, []).append(subtask.id)
        for line in flagged_lines(subtask.data):
            found.setdefault(line, []).append(subtask.id)
    return [
        text(_INDENT, (", ".join(ids), "bold"), f"  {one_line(detail, _LONGEST_TOLD)}") for detail, ids in found.items()
    ]


def citation_lines(citations: Sequence[Citation]) -> list[Text]:
    """Where each quote stands, and the quote."""
    if not citations:
        return []
    quotes = [
        text(_INDENT, (f"{one_line(each.document)} {span_of(each)} ", "cyan"), f"“{one_line(each.quote, 300)}”")
        for each in citations
    ]
    return [text(("Sources", "bold")), *quotes, Text()]


def span_of(citation: Citation) -> str:
    """Where in its document a quote stands: the page where it has some, and the characters from and to."""
    page = f"p. {citation.page}, " if citation.page is not None else ""
    return f"[{page}{citation.start}-{citation.end}]"


def usage_line(usage: RunUsage, budget: Limits | None = None) -> str:
    """What a run cost, in words, beside what it may; zeros that say nothing are left out."""
    calls, tokens, seconds, joules = (
        (budget.max_calls, budget.max_tokens, budget.max_seconds, budget.max_joules) if budget else (None,) * 4
    )
    parts = [
        f"{usage.calls}{_of(calls)} call{'s' if (calls or usage.calls) != 1 else ''}",
        f"{usage.prompt_tokens + usage.completion_tokens:,}{_of(tokens)} tokens{_reused(usage)}",
        f"{usage.seconds:.1f}{_of(seconds)} s",
    ]
    if usage.joules is not None:
        parts.append(f"{usage.joules:,.0f}{_of(joules)} J")
    if usage.swaps:
        parts.append(f"{usage.swaps} model swap{'s' if usage.swaps != 1 else ''}")
    if usage.escalations:
        parts.append(f"{usage.escalations} escalation{'s' if usage.escalations != 1 else ''}")
    return ", ".join(parts)


def _reused(usage: RunUsage) -> str:
    return f" ({usage.cached_tokens:,} reused)" if usage.cached_tokens else ""


def _of(most: float | None) -> str:
    return "" if most is None else f" of {most:,}" if isinstance(most, int) else f" of {most:g}"


def limits_line(budget: Limits) -> str:
    """What a run may spend, in words."""
    limits = (
        (budget.max_calls, "calls"),
        (budget.max_tokens, "tokens"),
        (budget.max_seconds, "s"),
        (budget.max_joules, "J"),
    )
    return ", ".join(
        f"{most:{',' if isinstance(most, int) else 'g'}} {unit}" for most, unit in limits if most is not None
    )
