"""Whether a plan in other words than the request's still says what the request said.

A model that rewords loses tests, names and numbers, leaves parts out, or plans what some example asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nonet.agents.clauses import Clause
from nonet.agents.cues import BUILTIN, read_cues
from nonet.agents.doubts import kinds_of_work
from nonet.agents.masking import FILLER, mask
from nonet.agents.plan import Subtask

_WORD = re.compile(r"[^\W\d_]{4,}")
_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?=\S))+[.!?]*")
_VERBATIM = re.compile(rf"{FILLER}+|(?<![\w.])\d[\d.,:]*\d\b|(?<![\w.])\d\b")
"""What has to reach a specialist letter by letter: what is masked (code, quotations, addresses, lists), and numbers."""
_MIN_COVERED = 0.5
_MIN_GROUNDED = 0.5
_STEM = 5
"""Letters by which words are compared: "summarise" and "summary" agree."""
_PLAIN_CUE = 1.2
_NO_CUE = 0.3
_SOME_CUE = 0.6
_CUE_CHARACTERS = 1_000


def with_material(task: str, steps: Sequence[tuple[str, str]]) -> list[str]:
    """The instructions, each with those sentences of the task that hold something verbatim which no instruction has.

    Args:
        task: what the user asked.
        steps: (specialist, instruction) pairs.

    >>> with_material("Write f. It must satisfy f(2) == 4. Sum up the letter.", [("code", "Write f."), ("general", "")])
    ['Write f. (It must satisfy f(2) == 4.)', '']
    """
    found = [instruction for _, instruction in steps]
    masked = mask(task)
    for sentence in _SENTENCE.finditer(masked):
        items = [task[match.start() : match.end()] for match in _VERBATIM.finditer(masked, *sentence.span())]
        if any(not any(item in text for text in found) for item in items):
            words = task[sentence.start() : sentence.end()].strip()
            place = _home(words, steps)
            found[place] = f"{found[place]} ({words})"
    return found


def doubts_of(task: str, subtasks: Sequence[Subtask], words: Sequence[str]) -> Iterator[str]:
    """What speaks against a plan in a model's words.

    Args:
        task: what the user asked.
        subtasks: the plan's.
        words: the instructions as the model gave them.
    """
    asked = _stems(task)
    said = set[str]().union(*map(_stems, words))
    if asked and len(asked & said) < _MIN_COVERED * len(asked):
        yield "The plan leaves out much of what the request says."
    if said and len(asked & said) < _MIN_GROUNDED * len(said):
        yield "The plan speaks of much that the request does not say."
    if len(subtasks) == 1:
        kinds = kinds_of_work(Clause(task, mask(task)), has_document=bool(subtasks[0].documents))
        if len(kinds) > 1:
            yield f"One step for what may be several ({', '.join(kinds)})."
    for subtask, text in zip(subtasks, words, strict=True):
        cues = read_cues(text[:_CUE_CHARACTERS], has_document=bool(subtask.documents))
        best = max(BUILTIN, key=cues.score)
        plain = cues.score(best) >= _PLAIN_CUE and cues.score(subtask.specialist) <= _NO_CUE
        if subtask.specialist in BUILTIN and plain:
            yield f"{subtask.id} went to {subtask.specialist}, and its words speak for {best}."


def _home(sentence: str, steps: Sequence[tuple[str, str]]) -> int:
    """The step a sentence belongs to: of the kind its words speak for, if there is one, that with the most of them."""
    cues = read_cues(sentence[:_CUE_CHARACTERS])
    best = max(BUILTIN, key=cues.score)
    fitting = [place for place, (name, _) in enumerate(steps) if name == best and cues.score(best) >= _SOME_CUE]
    words = _stems(sentence)
    return max(fitting or range(len(steps)), key=lambda place: (len(words & _stems(steps[place][1])), -place))


def _stems(text: str) -> set[str]:
    return {word.casefold()[:_STEM] for word in _WORD.findall(text)}
