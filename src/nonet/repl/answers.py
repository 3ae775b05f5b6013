"""A run's result as the session shows it: as the command line does, with code highlighted and sources that open."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from rich.text import Text

from nonet.errors import NonetError
from nonet.graphs.mentions import is_reference, text_of
from nonet.reasons import with_links
from nonet.render import result_lines, text
from nonet.text import clean

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult
    from nonet.store import Store

_FENCED = re.compile(r"^(```+)[ \t]*([\w+#-]*)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_LONGEST_CODE = 50_000
"""Longer code is shown without colours: lexing it would take seconds."""
_LONGEST_DIFF = 20_000


def answer_lines(store: Store, result: RunResult) -> list[Text]:
    """The answer, its sources, its checks, its cost; for changed code, what was changed."""
    lines = result_lines(result)
    if result.answer and lines:
        lines[0] = highlighted(lines[0])
    lines = with_links(store, lines, [each.document for each in result.citations])
    return lines[:2] + changes(store, result) + lines[2:]


def highlighted(answer: Text) -> Text:
    """Fenced code in the terminal's own colours; what stands there is not changed."""
    from rich.syntax import Syntax  # noqa: PLC0415  pygments takes its time

    for match in _FENCED.finditer(answer.plain):
        code = match[3]
        if len(code) > _LONGEST_CODE or not code.strip():
            continue
        coloured = Syntax(code, match[2] or "python", theme="ansi_dark").highlight(code)
        for span in coloured.spans:
            end = min(span.end, len(code))
            if span.start < end:
                answer.stylize(span.style, match.start(3) + span.start, match.start(3) + end)
    return answer


def changes(store: Store, result: RunResult) -> list[Text]:
    """Of a follow-up that changed code: the lines that are new and those that are gone."""
    if result.plan is None or result.plan.planner != "follow-up" or not result.subtasks:
        return []
    part = result.plan.subtasks[0]
    if part.specialist != "code" or not part.documents or not is_reference(part.documents[0]):
        return []
    try:
        return diff_lines(text_of(store, part.documents[0]), result.subtasks[0].text)
    except NonetError:
        return []  # the run it came from is gone: there is nothing to compare with


def diff_lines(old: str, new: str) -> list[Text]:
    """A unified diff of two texts, nothing where they are the same or in other languages."""
    first = [next(iter(each.splitlines()), "") for each in (old, new)]
    if first[0] != first[1] or max(len(old), len(new)) > _LONGEST_DIFF:
        return []
    styles = {"+": "green", "-": "red", "@": "cyan"}
    found = list(difflib.unified_diff(clean(old).splitlines(), clean(new).splitlines(), lineterm="", n=2))[2:]
    lines = [text((line, styles.get(line[:1], "dim"))) for line in found]
    return [text(("Changes", "bold")), *lines, Text()] if lines else []
