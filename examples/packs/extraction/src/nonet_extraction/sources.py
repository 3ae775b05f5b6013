"""Whether extracted values stand in the text they are said to come from, and where their field is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from nonet.specialists import Assignment, Evidence, Passage, Source
from nonet.specialists.quotes import Match, check_quote
from nonet.specialists.text import content_stems

Plain = Mapping[str, Any] | Sequence[Any] | str | float | None
"""A JSON value."""
_DIGIT = re.compile(r"\d")
_MONTH = re.compile(r"\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_KINDS = (
    ("date", re.compile(r"\b(?:date|day|deadline|birthday|dob)\b"), _MONTH),
    ("e-mail address", re.compile(r"\be[- ]?mail\b"), re.compile(r"^\S+@\S+\.\S+$")),
    ("phone number", re.compile(r"\b(?:phone|telephone|mobile|fax)\b"), re.compile(r"(?:\d\D{0,3}){6,}")),
    ("amount", re.compile(r"\b(?:amount|total|price|cost|sum|fee|quantity|percent\w*|weight|age)\b"), _DIGIT),
    ("number", re.compile(r"\b(?:number|no|id|code)\b"), _DIGIT),
)  # fmt: skip


def source_checks(output: BaseModel | Mapping[str, Any], assignment: Assignment) -> Iterator[Evidence]:
    """A check for each value of an output (a pydantic model, or a mapping): a verifier for any typed specialist.

    A text passes if it stands in a source, white space and the form of quotes and dashes apart, where the words of its
    field are told, too. A number passes if its digits do. What is null cannot be checked.
    """
    values = output if isinstance(output, Mapping) else output.model_dump(mode="json")
    for field, value in _leaves(values):
        yield _check(field, value, assignment.sources)


def _leaves(value: Plain, name: str = "") -> Iterator[tuple[str, str | float | None]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name} {key}".strip())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


def _check(field: str, value: str | float | None, sources: Sequence[Source]) -> Evidence:
    told = field.replace("_", " ")
    if value is None or value == "":
        return Evidence("quote", passed=None, detail=f"{told}: not found")
    if isinstance(value, bool):
        return Evidence("quote", passed=None, detail=f"{told}: {value} is a judgement, not a quote")
    text = str(value)
    wrong = next((kind for kind, name, form in _KINDS if name.search(told) and not form.search(text)), None)
    if wrong is not None:
        return Evidence("type", passed=False, detail=f"{told}: {text!r} is no {wrong}")
    places = _places(value, sources)
    if not places:
        return Evidence("quote", passed=False, detail=f"{told}: {text!r} is not in the text")
    asked = set(content_stems(told))
    near = any(asked & set(content_stems(line)) for line in places) or not asked
    if near:
        return Evidence("quote", passed=True, detail=f"{told}: {text!r} stands there")
    return Evidence("quote", passed=None, detail=f"{told}: {text!r} stands where nothing speaks of {told}")


def _places(value: str | float, sources: Sequence[Source]) -> list[str]:
    """The lines that hold the value, each with the one before it."""
    found = []
    for source in sources:
        starts = _numbers(value, source.text) if isinstance(value, int | float) else _verbatim(value, source)
        for start in starts:
            begin = source.text.rfind("\n", 0, source.text.rfind("\n", 0, start) if "\n" in source.text[:start] else 0)
            end = source.text.find("\n", start)
            found.append(source.text[max(0, begin) : end if end >= 0 else len(source.text)])
    return found


def _verbatim(value: str, source: Source) -> list[int]:
    direct = [match.start() for match in re.finditer(re.escape(value), source.text)]
    if direct:
        return direct
    checked = check_quote(value, [Passage(source.name, 0, 0.0, 0, len(source.text), source.text)])
    alike = checked.match is Match.ALIKE and checked.citation is not None
    return [checked.citation.start] if alike and checked.citation is not None else []


def _numbers(value: float, text: str) -> list[int]:
    found = []
    for match in re.finditer(r"(?<![\w.,])\d+(?:[.,]\d+)*", text):
        plain = match.group()
        forms = {plain.replace(",", ""), plain.replace(".", "").replace(",", ".")}
        if any(_same(form, value) for form in forms):
            found.append(match.start())
    return found


def _same(text: str, value: float) -> bool:
    try:
        return abs(float(text) - value) < 1e-9  # noqa: PLR2004  float noise
    except ValueError:
        return False
