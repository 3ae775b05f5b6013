"""Evaluations as a table, as Markdown, as JSON and as a picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nonet.render import console_for
from nonet.terminal import emit, out, output_faults, say, write_out
from nonet.text import clean

if TYPE_CHECKING:
    from nonet.eval.summary import Comparison, Summary
    from nonet.eval.tables import Row
    from nonet.store import EvalItem, EvalRecord

MARKDOWN, SVG = "md", "svg"
_WIDEST = 150
"""Columns of a table where it is no terminal, at most."""
_LISTED = 12


@dataclass(frozen=True, slots=True)
class View:
    """What is shown."""

    summaries: Sequence[Summary]
    comparisons: Sequence[Comparison]
    evals: Sequence[tuple[EvalRecord, Sequence[EvalItem]]]


def show(view: View, form: str, *, json: bool, answers: bool = False) -> None:
    """Show it on standard output.

    Args:
        view: what.
        form: "table", "md" or "svg".
        json: as JSON instead.
        answers: with every answer in the JSON.
    """
    if json:
        emit(_json(view, answers=answers))
    elif form == SVG:
        out(_svg(view).rstrip("\n"))
    elif form == MARKDOWN:
        out(_markdown(view))
    else:
        _print(view)


def _json(view: View, *, answers: bool) -> dict[str, Any]:
    evals = [summary.to_json() for summary in view.summaries]
    if answers:
        for fields, (_, items) in zip(evals, view.evals, strict=True):
            fields["answers"] = [asdict(item) for item in items]
    return {"evals": evals, "comparisons": [each.to_json() for each in view.comparisons]}


def _svg(view: View) -> str:
    from nonet.eval.chart import Bar, to_svg  # noqa: PLC0415

    bars = [
        Bar(f"{each.record.suite}: {name}", f"{each.record.arm} ({each.record.models})", value)
        for name in dict.fromkeys(name for each in view.summaries for name in each.metrics)
        for each in view.summaries
        if (value := each.metrics.get(name)) is not None
    ]
    return to_svg(bars, "Means and 95 % intervals")


def _markdown(view: View) -> str:
    from nonet.eval import tables  # noqa: PLC0415

    parts = [tables.markdown(tables.HEAD, tables.summary_rows(view.summaries), numbers_from=6)]
    parts += ["\n".join(f"- {note}" for note in tables.notes(view.summaries))]
    if view.comparisons:
        parts.append(tables.markdown(tables.COMPARED, tables.comparison_rows(view.comparisons), numbers_from=5))
    for suite in dict.fromkeys(summary.record.suite for summary in view.summaries):
        some = [summary for summary in view.summaries if summary.record.suite == suite]
        parts.append(tables.markdown(*tables.group_rows(some), numbers_from=1))
        evals = [each for each in view.evals if each[0].suite == suite]
        parts.append(tables.markdown(*tables.item_rows(evals, some[0].metric), numbers_from=9))
    return "\n\n".join(filter(None, parts))


_RESULTS = ("eval", "suite", "arm", "n", "metric", "mean [95 %]")
_COSTS = ("eval", "calls", "tokens", "s", "swaps", "up", "J")
_OUTCOMES = ("suite", "arm", "against", "n", "difference [95 %]", "wins", "losses", "ties", "p")


def _print(view: View) -> None:
    """Tables that 80 columns hold: what came of it, what it cost, and the comparisons."""
    from nonet.eval import tables  # noqa: PLC0415

    rows = tables.summary_rows(view.summaries)
    _table(tables.HEAD, rows, _RESULTS, numbers_from="n")
    _table(tables.HEAD, [row for row in rows if row[0]], _COSTS, numbers_from="calls")
    for summary in view.summaries:
        say(f"{summary.record.id}: {summary.record.models}")
    for note in tables.notes(view.summaries):
        say(note)
    if view.comparisons:
        _table(tables.COMPARED, tables.comparison_rows(view.comparisons), _OUTCOMES, numbers_from="n")
    for each in view.comparisons:
        for word, items in (("won", each.won), ("lost", each.lost)):
            if items:
                more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
                say(f"{each.ours.suite}: {each.ours.arm} {word}: {', '.join(items[:_LISTED])}{more}")
        if each.left_out:
            say(f"{each.ours.suite}: {each.left_out} items are not in both and were left out.")


def _table(head: Row, rows: Sequence[Row], shown: Row, *, numbers_from: str) -> None:
    """Some of the columns, by their names."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = console_for(sys.stdout)
    if not console.is_terminal:
        console.width = _WIDEST
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(shown):
        right = place >= shown.index(numbers_from)
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        cells = dict(zip(head, row, strict=True))
        table.add_row(*(Text(clean(cells[name])) for name in shown))
    with output_faults(), console.capture() as captured:
        console.print(table)
    write_out("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")
