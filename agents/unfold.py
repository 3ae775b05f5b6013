"""Clauses that stand for more, or for other work, than they say: "each", "do the same for B", "(look it up first)"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nonet.agents.clauses import Clause
from nonet.agents.cues import code_cue
from nonet.agents.documents import DocumentInfo, for_one, named_documents, wants_each
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
_OBJECT = compiled(r"\b(?:of|on|about) ((?:the|one|an?|some|that)\b[^,;.¤]+)")
_IT = compiled(r"\b(?:it|this|which)\b")
_CODE_CUE = 0.7


def unfolded(clauses: Sequence[Clause], attached: Sequence[DocumentInfo]) -> list[Clause]:
    """The clauses with "each" as a clause a document, "the same for B" spelt out, and hidden look-ups in front."""
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
        elif not copied and (apart := _apiece(clause, chosen)):
            copied = True
            found.extend(apart)
        elif clause.reversed or clause.kind == "passive" or clause.masked.rstrip(" .").endswith("first"):
            found.append(_spelt_out(clause, found[-1]) if found else clause)
        else:
            found.extend(_with_lookup(clause))
    return found


def _copy(clause: Clause, name: str, names: Sequence[str]) -> Clause:
    text = for_one(clause.text, name, names)
    return replace(clause, text=text, masked=mask(text), kind="copy", about=name, shares=False)


def _apiece(clause: Clause, names: Sequence[str]) -> list[Clause]:
    """For "condense a.md to a line and b.md to two lines" a clause a document; nothing where a length is missing."""
    if not 1 < len(names) <= MAX_COPIES:
        return []
    pattern = r"(?P<verb>.*?)" + ".*?".join(rf"({re.escape(name)}\b.*?{LENGTH})" for name in names)
    match = re.match(pattern, clause.text, re.IGNORECASE | re.DOTALL)
    if match is None or not match["verb"].strip():
        return []
    texts = [f"{match['verb']}{part}." for part in match.groups()[1:]]
    return [
        replace(clause, text=text, masked=mask(text), kind="copy", about=name, shares=False)
        for text, name in zip(texts, names, strict=True)
    ]


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


def _with_lookup(clause: Clause) -> list[Clause]:
    """For "using the formula in the handbook, write a function" the formula is looked up before."""
    hidden = _LOOKUP.match(clause.masked) or _ONCE_KNOWN.match(clause.masked)
    if hidden is None or code_cue(clause.text, clause.masked) < _CODE_CUE:
        return [clause]
    text = f"Find {clause.text[hidden.start(1) : hidden.end(1)].strip()}."
    return [Clause(text, mask(text), "retrieval"), replace(clause, opening=f"{clause.opening} using that,")]
