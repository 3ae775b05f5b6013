"""Summaries and comparisons as tables: rows of cells, which a terminal and Markdown show alike."""

from __future__ import annotations

from collections.abc import Sequence

from nonet.agents.calibration import Interval
from nonet.eval.summary import Comparison, Summary
from nonet.store import EvalItem, EvalRecord
from nonet.text import one_line

Row = Sequence[str]
HEAD = ("eval", "suite", "arm", "models", "n", "metric", "mean [95 %]", "calls", "tokens", "s", "swaps", "up", "J")
"""Calls, tokens and seconds are of an item; swaps of models, steps up a ladder and joules of all together."""
COMPARED = ("suite", "arm", "against", "n", "metric", "means", "difference [95 %]", "wins", "losses", "ties", "p")


def summary_rows(summaries: Sequence[Summary]) -> list[Row]:
    """A row a metric; what it cost stands in the first of each evaluation."""
    return [row for summary in summaries for row in _rows(summary)]


def _rows(summary: Summary) -> list[Row]:
    record, usage, count = summary.record, summary.usage, max(1, summary.items)
    tokens = (usage["prompt_tokens"] + usage["completion_tokens"]) / count
    joules = "-" if usage["joules"] is None else f"{usage['joules']:,.0f}"
    costs = [
        f"{usage['calls'] / count:.1f}",
        f"{tokens:,.0f}",
        f"{usage['seconds'] / count:.2f}",
        str(usage["swaps"]),
        str(usage["escalations"]),
        joules,
    ]
    names = [record.id, record.suite, record.arm, record.models, str(summary.items)]
    rows: list[Row] = []
    for name, value in summary.metrics.items():
        first = not rows
        rows.append([*(names if first else [""] * 5), name, interval(value), *(costs if first else [""] * 6)])
    return rows or [[*names, "-", "-", *costs]]


def interval(value: Interval, digits: int = 3) -> str:
    """A mean with its interval.

    >>> interval(Interval(0.5, 0.25, 0.75))
    '.500 [.250, .750]'
    """
    mean, low, high = (_short(each, digits) for each in (value.mean, value.low, value.high))
    return f"{mean} [{low}, {high}]"


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def notes(summaries: Sequence[Summary]) -> list[str]:
    """What the table does not tell, a sentence each."""
    said = []
    for summary in summaries:
        name = f"{summary.record.suite} {summary.record.arm}"
        if summary.errors:
            said.append(f"{name}: {summary.errors} of {summary.items} items ended in an error and count as wrong.")
        if summary.known:
            said.append(f"{name}: {summary.known} of {summary.items} items were answered before; --again asks anew.")
        if "verified" in summary.verdicts:
            right, wrong = summary.verdicts["verified"]
            said.append(f"{name}: {right + wrong} called verified, {wrong} of them not fully right.")
    return said


def group_rows(summaries: Sequence[Summary]) -> tuple[Row, list[Row]]:
    """Head and rows: the first metric by kind of item, a column an arm."""
    groups = sorted({group for summary in summaries for group in summary.groups})
    head = ["group", "n", *(summary.record.arm for summary in summaries)]
    rows: list[Row] = []
    for group in groups:
        found = [summary.groups.get(group) for summary in summaries]
        count = max(each[0] for each in found if each is not None)
        rows.append([group, str(count), *(f"{each[1]:.3f}" if each else "-" for each in found)])
    return head, rows


def comparison_rows(comparisons: Sequence[Comparison]) -> list[Row]:
    """A row a comparison."""
    return [
        [
            each.ours.suite,
            _name(each.ours, each.theirs),
            _name(each.theirs, each.ours),
            str(each.paired.wins + each.paired.losses + each.paired.ties),
            each.metric,
            f"{each.ours_mean:.3f} : {each.theirs_mean:.3f}",
            interval(each.paired.difference),
            str(each.paired.wins),
            str(each.paired.losses),
            str(each.paired.ties),
            f"{each.paired.p:.3g}",
        ]
        for each in comparisons
    ]


def _name(record: EvalRecord, other: EvalRecord) -> str:
    """Its arm; where that does not tell the two apart, its id and models, too."""
    return record.arm if record.arm != other.arm else f"{record.arm} {record.id} ({record.models})"


def item_rows(evals: Sequence[tuple[EvalRecord, Sequence[EvalItem]]], metric: str) -> tuple[Row, list[Row]]:
    """Head and rows: every item, and what each arm made of it."""
    head = ["item", "group", *(record.arm for record, _ in evals)]
    by_item: dict[str, dict[str, EvalItem]] = {}
    for record, items in evals:
        for item in items:
            by_item.setdefault(item.item, {})[record.id] = item
    rows: list[Row] = []
    for name, found in by_item.items():
        cells = [_cell(found.get(record.id), metric) for record, _ in evals]
        rows.append([name, next(iter(found.values())).group, *cells])
    return head, rows


def _cell(item: EvalItem | None, metric: str) -> str:
    if item is None:
        return ""
    tokens = item.usage.get("prompt_tokens", 0) + item.usage.get("completion_tokens", 0)
    said = f"{item.scores.get(metric, 0.0):.2f} {tokens:,} tokens {item.verdict}"
    samples = item.facts.get("samples")
    return said.strip() + (f", {samples} samples" if samples else "")


def markdown(head: Row, rows: Sequence[Row], *, numbers_from: int) -> str:
    r"""A Markdown table.

    >>> print(markdown(["a", "b"], [["x|y", "1"]], numbers_from=1))
    | a | b |
    |---|---:|
    | x\|y | 1 |
    """
    rule = ["---" if place < numbers_from else "---:" for place in range(len(head))]
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(rule)}|"]
    for row in rows:
        cells = [one_line(cell).replace("|", "\\|") for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
