"""Clauses that stand for more, or for other work, than they say: "each", "do the same for B", "(look it up first)"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nonet.agents.clauses import Clause
from nonet.agents.code_cues import code_cue
from nonet.agents.cues import read_cues
from nonet.agents.documents import DocumentInfo, for_one, loosely, named_documents, wants_each
from nonet.agents.lexicon import LENGTH, STORE_NOUN, compiled
from nonet.agents.masking import mask

MAX_COPIES = 6
"""Documents that "each" is unfolded over; more are read together."""
_SAME = compiled(r"\b(?:do (?:exactly )?)?(?:the )?same (?:for|with|to)\s+(.+?)[\s.]*$")
_LOOKUP = compiled(
    rf"(?:using|with|based on|from|given|taking|according to)\s+(the [^,:;]{{3,160}}?\b(?:in|from|of) (?:the|our|my) "
    rf"(?:\w+ )?{STORE_NOUN}\b[^,:;]*)[,:]"
)
_ONCE_KNOWN = compiled(
    r"(?:once|when|after) you (?:know|have|have found|found|learn|learned|have learned|have looked up|looked up|see)"
    rf"(?: out)? ([^,:;]{{3,160}}?\b{STORE_NOUN}\b[^,:;]*)[,:]"
)
_BEFORE_WORK = compiled(
    r"(?:please |pls )?before (?:you|we|i) (?P<work>[^,;:]{8,160}?)"
    r"(?:, |,? (?:please |pls )?(?=look|find|search|check))"
    r"(?:please |pls )?(?P<need>\S.{8,})$",
    re.DOTALL,
)
"""The work itself told in the words that put a look-up before it."""
_LEAD = compiled(
    r"(?:(?:once|when|after|as soon as) (?:you|we|i)(?:'ve| have)? (?:got|found|read|seen|looked up|get|find|read|see) "
    r"|(?:i |we )?need |get (?:me )?|take |use |using |with |from |(?=if ))([^,.;:]{3,160})[,.] (?=\S)"
)
_OBJECT = compiled(r"\b(?:(?:of|on|about) (?=(?:the|one|an?|some|that)\b)|(?:use|using) (?=the\b))([^,;.¤]+)")
_IT = compiled(r"\b(?:it|this|which|those|them|these)\b")
_TWICE_ASKED = compiled(r"(?:,|;)? and (?=(?:what|which|who|when|where|how|does|do|is|are|did)\b)|\?\s+(?=\w)")
_CODE_CUE = 0.7
_WORK_CUE = 0.9


def unfolded(
    clauses: Sequence[Clause], attached: Sequence[DocumentInfo], collection: Sequence[DocumentInfo] = ()
) -> list[Clause]:
    """The clauses with "each" as a clause a document, "the same for B" spelt out, and hidden look-ups in front."""
    documents = attached or collection
    found: list[Clause] = []
    copied = False
    for clause in clauses:
        named = named_documents(clause.masked, clause.text, attached)
        chosen = named or tuple(item.name for item in attached)
        if clause.kind == "same" and found and (same := _SAME.search(clause.text)):
            found.append(_repeated(found[-1], clause, same.group(1), attached))
        elif not copied and 1 < len(chosen) <= MAX_COPIES and wants_each(clause.masked, len(named)):
            copied = True
            found.extend(_copy(clause, name, chosen) for name in chosen)
        elif not copied and (
            apart := _apiece(clause, chosen) or _asked_apart(clause, documents, last=clause is clauses[-1])
        ):
            copied = True
            found.extend(apart)
        elif len(clauses) == 1 and (before := _before_work(clause)):
            found.extend(before)
        elif clause.reversed or clause.kind == "passive" or clause.masked.rstrip(" .").endswith("first"):
            found.append(_spelt_out(clause, found[-1]) if found else clause)
        else:
            found.extend(_with_lookup(clause, documents))
    return found


def _copy(clause: Clause, name: str, names: Sequence[str]) -> Clause:
    text = for_one(clause.text, name, names)
    return replace(clause, text=text, masked=mask(text), kind="copy", about=name, shares=False)


def _apiece(clause: Clause, names: Sequence[str]) -> list[Clause]:
    """For "condense a.md to a line and b.md to two lines" a clause a document; nothing where a length is missing."""
    if not 1 < len(names) <= MAX_COPIES:
        return []
    pattern = r"(?P<verb>.*?)" + ".*?".join(rf"({_as_typed(name)}\b.*?{LENGTH})" for name in names)
    match = re.match(pattern, clause.text, re.IGNORECASE | re.DOTALL)
    if match is None or not (match["verb"].strip() or clause.kind == "whole"):
        return []
    texts = [f"{match['verb']}{part}." for part in match.groups()[1:]]
    return [
        replace(clause, text=text, masked=mask(text), kind="copy", about=name, shares=False)
        for text, name in zip(texts, names, strict=True)
    ]


def _as_typed(name: str) -> str:
    """A pattern for a document's file name, or its stem."""
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0] or name
    return rf"(?:{re.escape(name)}|{loosely(stem)})"


def _asked_apart(clause: Clause, documents: Sequence[DocumentInfo], *, last: bool) -> list[Clause]:
    """For "what does A say on x, and what does B say on y?" a question a document, where something follows on both.

    Where nothing does, one look-up answers both.
    """
    if last or clause.kind != "question" or len(documents) <= 1:
        return []
    cuts = list(_TWICE_ASKED.finditer(clause.masked))
    starts = [0, *(cut.end() for cut in cuts)]
    ends = [*(cut.start() for cut in cuts), len(clause.text)]
    parts = [clause.text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    names = [named_documents(mask(part), part, documents) for part in parts]
    if len(parts) <= 1 or any(len(each) != 1 for each in names) or len({*names}) < len(names):
        return []
    if any(_IT.search(part) for part in parts[1:]):
        return []
    told = [part if part.endswith("?") else f"{part}?" for part in parts]
    return [
        replace(clause, text=text, masked=mask(text), kind="copy", about=each[0], shares=False)
        for text, each in zip(told, names, strict=True)
    ]


def _before_work(clause: Clause) -> list[Clause]:
    """For "before you write the script, look up the order" the look-up and then the script."""
    told = _BEFORE_WORK.match(clause.masked)
    if told is None:
        return []
    work, need = clause.text[told.start("work") : told.end("work")], clause.text[told.start("need") :]
    text = work[:1].upper() + work[1:].rstrip(" .") + "."
    if max(code_cue(text, mask(text)), read_cues(text).summarization) < _WORK_CUE:
        return []
    return [Clause(need, mask(need), "retrieval"), Clause(text, mask(text), "make", opening="using that,")]


def _repeated(before: Clause, clause: Clause, other: str, attached: Sequence[DocumentInfo]) -> Clause:
    """So that "Condense d1 to a sentence. Do the same for d2." becomes "Condense d2 to a sentence."."""
    names = named_documents(clause.masked, clause.text, attached)
    text = f"{before.text.rstrip(' .')}, but for {other} instead."
    for document in attached:
        if document.name in before.text:
            text = before.text.replace(document.name, other)
            break
    return replace(before, text=text, masked=mask(text), kind="copy", about=names[0] if len(names) == 1 else "")


def _spelt_out(clause: Clause, main: Clause) -> Clause:
    """Let "it has to be looked up first" say what "it" is, since it will run before the clause that told."""
    thing = _OBJECT.search(main.text)
    pronoun = _IT.search(clause.masked)
    if thing is None or pronoun is None:
        return clause
    text = f"{clause.text[: pronoun.start()]}{thing.group(1).strip()}{clause.text[pronoun.end() :]}"
    return replace(clause, text=text, masked=mask(text))


def _of_a_document(clause: Clause, documents: Sequence[DocumentInfo]) -> re.Match[str] | None:
    """Words before an order for code that name a document: what they speak of is to be found there."""
    lead = _LEAD.match(clause.masked)
    if lead is None or code_cue(lead.group(1), lead.group(1)) >= _CODE_CUE:
        return None
    said = clause.text[: lead.end()]
    return lead if any(re.search(rf"\b{_as_typed(one.name)}\b", said, re.IGNORECASE) for one in documents) else None


def _with_lookup(clause: Clause, documents: Sequence[DocumentInfo]) -> list[Clause]:
    """For "using the formula in the handbook, write a function" the formula is looked up before."""
    hidden = _LOOKUP.match(clause.masked) or _ONCE_KNOWN.match(clause.masked) or _of_a_document(clause, documents)
    if hidden is None or code_cue(clause.text, clause.masked) < _CODE_CUE:
        return [clause]
    text = f"Find {clause.text[hidden.start(1) : hidden.end(1)].strip()}."
    return [Clause(text, mask(text), "retrieval"), replace(clause, opening=f"{clause.opening} using that,")]
