"""What is asked of a summary: by the request's words, and by options, which count for more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from nonet.specialists.forms import FEWEST_COMPARED, Manner, read_manner, without_manner
from nonet.specialists.length import UNITS, LengthWish, read_wish, without_length
from nonet.specialists.questions import is_asked
from nonet.specialists.summary_options import SummaryOptions, contradiction
from nonet.specialists.text import sentences, words


@dataclass(frozen=True, slots=True)
class AskedFor:
    """The length and the manner of a summary."""

    request: str
    """Its words without what the options overrule."""
    wish: LengthWish
    manner: Manner = field(default_factory=Manner)
    notes: tuple[str, ...] = ()
    """What of the request the options overrule, and what of them cannot be."""


def asked_for(request: str, documents: int, options: SummaryOptions | None = None) -> AskedFor:
    """What a request and its options ask for together.

    Args:
        request: its words.
        documents: how many there are to sum up.
        options: count where the two contradict each other; what only one of them says is kept.
    """
    wish, manner = read_wish(request), read_manner(request, documents=documents)
    found = AskedFor(request, wish, manner) if options is None else _together(request, wish, manner, options)
    if found.manner.form == "comparison" and documents < FEWEST_COMPARED:
        note = "a comparison takes two documents or more: this is a summary"
        found = replace(found, manner=replace(found.manner, form="prose"), notes=(*found.notes, note))
    if found.manner.form == "abstract" and not found.wish.stated:
        found = replace(found, wish=replace(found.wish, paragraphs=1))
    return found


def _together(request: str, wish: LengthWish, manner: Manner, options: SummaryOptions) -> AskedFor:
    result: dict[str, Any] = options.model_dump(exclude_none=True, exclude={"focus"})
    notes = []
    for name, value in _said(wish, manner).items():
        kept = result.get(name)
        if kept == value:
            continue
        if kept is None and not contradiction({**result, name: value}):
            result[name] = value
            continue
        by = _shown(name, kept) if kept is not None else ", ".join(_shown(each, result[each]) for each in result)
        notes.append(f"the request says {_shown(name, value)}, the options {by}: the options count")
        request = " ".join(_without(span.text, name) for span in sentences(request))
    form = result.get("form", "prose")
    lengths = {unit: result.get(unit) for unit in UNITS}
    if form == "bullets" and lengths["bullets"] is None:
        lengths["bullets"] = 0
    corrected = "" if any(getattr(options, unit) for unit in UNITS) else wish.corrected
    return AskedFor(
        request if words(request) else "Summarize it.",
        LengthWish(**lengths, corrected=corrected),
        Manner(form, result.get("style"), result.get("language")),
        tuple(notes),
    )


def _without(sentence: str, name: str) -> str:
    """The sentence without its wish.

    Of a question only what stands by itself after its last comma is one: "translated into French" is what it is about.
    """
    cut = without_length if name in UNITS else without_manner
    if not (sentence.rstrip().endswith("?") or is_asked(sentence)):
        return cut(sentence, name)
    head, _, tail = sentence.rpartition(",")
    return f"{head}?" if head and not words(cut(tail, name)) else sentence


def _said(wish: LengthWish, manner: Manner) -> dict[str, Any]:
    """What the words of a request say, by the names of the options."""
    bare = wish.bullets == 0
    said: dict[str, Any] = {unit: getattr(wish, unit) for unit in UNITS if getattr(wish, unit)}
    form = manner.form if manner.form != "prose" else "bullets" if bare else None
    said |= {"form": form, "style": manner.style, "language": manner.language}
    return {name: value for name, value in said.items() if value is not None}


def _shown(name: str, value: object) -> str:
    if name in UNITS:
        return f"{value} {name.removesuffix('s') if value == 1 else name}"
    return f"{name} {value}"
