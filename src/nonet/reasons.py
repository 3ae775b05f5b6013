"""Why an answer may be believed: what was checked, by which model, from how much text, after what was tried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from nonet.flagged import flagged_lines
from nonet.render import VERDICT_STYLES, citation_lines, evidence_lines, text, usage_line
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult, SubtaskResult
    from nonet.store import CallRecord, RunRecord, Store


def reason_lines(record: RunRecord, result: RunResult) -> list[Text]:
    """The evidence of a run's answer, a part after the other."""
    lines = [text(("Why", "bold"), f"  {one_line(record.task, 200)}  (run {record.id}, {record.status})"), Text()]
    for subtask in result.subtasks:
        lines += _part(subtask, [call for call in record.calls if call.subtask == subtask.id])
    lines += citation_lines(result.citations)
    told = [note for note in record.notes if note.kind in {"escalation", "swap", "remote", "replan", "revision"}]
    lines += [text(f"  {note.kind}: {one_line(note.text)}") for note in told]
    verdict = str(result.verdict)
    return [
        *lines,
        text(("Verdict: ", "bold"), (verdict, VERDICT_STYLES.get(verdict, "")), f"  {usage_line(result.usage)}"),
    ]


def _part(subtask: SubtaskResult, calls: Sequence[CallRecord]) -> list[Text]:
    verdict = str(subtask.verdict) if subtask.verdict else "not run"
    longest = max((call.prompt_tokens for call in calls), default=0)
    cost = (
        f"prompt of at most {longest:,} tokens, {len(calls)} call{'s' if len(calls) != 1 else ''}"
        if calls
        else "no call"
    )
    head = text(
        (subtask.id, "bold"),
        " ",
        (one_line(subtask.specialist, 24), "cyan"),
        f" by {one_line(subtask.model, 40) or 'nobody'}: ",
        (verdict, VERDICT_STYLES.get(verdict, "")),
        (f"  {subtask.attempts} attempt{'s' if subtask.attempts != 1 else ''}, {cost}", "dim"),
    )
    flagged = [text(f"  {one_line(line)}") for line in flagged_lines(subtask.data)]
    return [head, *evidence_lines(subtask.evidence), *flagged, Text()]


def with_links(store: Store, lines: Sequence[Text], names: Sequence[str]) -> list[Text]:
    """Names of documents in the lines become links to the files, where those still stand where they were read."""
    linked = list(lines)
    known = {record.name: record.path for record in store.documents.list()}
    for name in dict.fromkeys(names):
        path = known.get(name, "")
        if not path or not Path(path).is_file():
            continue
        address = Path(path).absolute().as_uri()
        for line in linked:
            at = line.plain.find(f"{name} [")
            if at >= 0:
                line.stylize(f"link {address}", at, at + len(name))
    return linked
