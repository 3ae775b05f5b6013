"""Sentences of a summary that say what its source does not, as lines beneath its checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nonet.text import one_line

_MOST_SENTENCES = 4
_MOST_MISSING = 6
_LONGEST_SENTENCE = 120


def flagged_lines(data: Mapping[str, Any]) -> list[str]:
    """A line a sentence with dates, numbers or names that are not in the source, the first few of them.

    Args:
        data: what a specialist gave beside its text; of any other than a summary there is nothing to say.

    >>> flagged_lines({"coverage": {"sentences": [{"text": "It was finished in 1988.", "missing": ["1988"]}]}})
    ['not in the source: 1988 (in: “It was finished in 1988.”)']
    """
    found = list(_flagged(data))
    lines = [
        f"not in the source: {', '.join(missing[:_MOST_MISSING])}"
        f"{f' and {more} more' if (more := len(missing) - _MOST_MISSING) > 0 else ''}"
        f" (in: \u201c{one_line(sentence, _LONGEST_SENTENCE)}\u201d)"
        for sentence, missing in found[:_MOST_SENTENCES]
    ]
    if rest := len(found[_MOST_SENTENCES:]):
        lines.append(f"and of {rest} more sentence{'s' if rest != 1 else ''} something is not in the source")
    return lines


def _flagged(data: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Specialists of the user's own may keep anything under the same names."""
    coverage = data.get("coverage")
    sentences = coverage.get("sentences") if isinstance(coverage, Mapping) else None
    for each in sentences if isinstance(sentences, list | tuple) else ():
        missing = each.get("missing") if isinstance(each, Mapping) else None
        if isinstance(missing, list | tuple) and missing:
            yield str(each.get("text", "")), [one_line(str(item)) for item in missing]
