"""Runs as a document to hand on: Markdown, HTML that stands alone, or JSON."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nonet.errors import UsageError
from nonet.render import deciding, span_of, usage_line
from nonet.text import clean, one_line, to_json

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult

FORMATS = ("md", "html", "json")
_STYLE = (
    "body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif}"
    "pre{overflow-x:auto;padding:.8rem;background:#8881}table{border-collapse:collapse}"
    "td,th{border:1px solid #8886;padding:.2rem .5rem;text-align:left}@media(prefers-color-scheme:dark)"
    "{body{background:#181818;color:#ddd}a{color:#8bf}}"
)
_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|"})


def exported(results: Sequence[RunResult], form: str, *, title: str = "nonet") -> str:
    """The runs, oldest first, in one of FORMATS. Raises UsageError for another."""
    if form == "md":
        return markdown(results, title)
    if form == "html":
        return _page(markdown(results, title), title)
    if form == "json":
        return to_json({"title": title, "runs": [result.to_json() for result in results]}, indent=2) + "\n"
    raise UsageError(f"There is no format {form!r}.", next_step=f"There are: {', '.join(FORMATS)}.")


def markdown(results: Sequence[RunResult], title: str) -> str:
    """Task, answer, sources and checks of each run. What models and documents said is cleaned as for a terminal."""
    parts = [f"# {_plain(title)}\n"]
    for result in results:
        parts.append(f"\n## {_plain(one_line(result.task, 100))}\n")
        if "\n" in result.task.strip() or len(result.task) > 100:  # noqa: PLR2004  the heading shows so much
            parts.append("\n" + "\n".join(f"> {line}" for line in clean(result.task).splitlines()) + "\n")
        parts.append(f"\n{clean(result.answer).strip() or '(no answer)'}\n")
        if result.citations:
            parts.append("\nSources:\n\n")
            parts += [
                f"- {_plain(each.document)} {span_of(each)}: \u201c{_plain(one_line(each.quote))}\u201d\n"
                for each in result.citations
            ]
        parts.append(_checks(result))
    parts.append(f"\n---\n\nExported by nonet on {time.strftime('%Y-%m-%d %H:%M')}.\n")
    return "".join(parts)


def _checks(result: RunResult) -> str:
    rows = ["\n| part | specialist | verdict | model | decided by |\n|---|---|---|---|---|\n"]
    for each in result.subtasks:
        cells = (each.id, each.specialist, str(each.verdict or "not run"), each.model or "-", deciding(each.evidence))
        rows.append("| " + " | ".join(_plain(one_line(cell)) for cell in cells) + " |\n")
    return "".join(rows) + f"\nVerdict: **{result.verdict}**, {usage_line(result.usage)} (run {result.run})\n"


def _plain(text: str) -> str:
    return one_line(text).translate(_ESCAPED)


def _page(text: str, title: str) -> str:
    """HTML without scripts or anything fetched; HTML within the texts is shown, not obeyed."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  only an export to HTML pays for it

    body = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image").render(text)
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}</body></html>\n"
    )
