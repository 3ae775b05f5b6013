"""When the rules should not be trusted: a routing below its margin, or a part in which several kinds of work stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from nonet.agents.clauses import Clause
from nonet.agents.cues import BUILTIN, read_cues
from nonet.agents.plan import Subtask
from nonet.agents.steps import Step

_SENTENCE = re.compile(r"(?:[^.!?;:\n]|[.!?](?=\S))+[.!?;:]*")
_MIN_WORDS = 3
_MAX_SENTENCES = 40
_CLEAR_CUE = 0.9
_CLEAR_MARGIN = 0.4
_SHOWN_CHARACTERS = 80


def rule_doubts(steps: Sequence[Step], subtasks: Sequence[Subtask], *, has_document: bool) -> Iterator[str]:
    """What speaks against a plan that the rules made, in words."""
    for subtask in subtasks:
        if subtask.routing and not subtask.routing.sure:
            yield f"Not sure that {subtask.specialist} is right for {subtask.id}: {_short(subtask.instruction)}"
    for step in steps:
        kinds = kinds_of_work(step.clause, has_document=has_document)
        if len(kinds) > 1:
            yield f"This may be several parts ({', '.join(kinds)}): {_short(step.clause.text)}"


def kinds_of_work(clause: Clause, *, has_document: bool) -> list[str]:
    """The shipped specialists that sentences of a clause plainly speak for; of a lone sentence none is told."""
    found = [
        match for match in islice(_SENTENCE.finditer(clause.masked), _MAX_SENTENCES) if _is_sentence(match.group())
    ]
    kinds: list[str] = []
    if len(found) == 1:  # one kind at most, which the router has found already
        return kinds
    for match in found:
        cues = read_cues(clause.text[match.start() : match.end()], match.group(), has_document=has_document)
        best, second = sorted(BUILTIN, key=cues.score, reverse=True)[:2]
        clear = cues.score(best) >= _CLEAR_CUE and cues.score(best) - cues.score(second) >= _CLEAR_MARGIN
        if clear and best not in kinds:
            kinds.append(best)
    return kinds


def _is_sentence(words: str) -> bool:
    return len(words.split()) >= _MIN_WORDS


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}\u2026"
