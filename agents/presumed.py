"""Documents that a request speaks of though none is there: its plan is the one that it gets once they are.

They have a place in the planning only. No subtask reads one, and the plan says that they are missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nonet.agents.cues import is_told
from nonet.agents.documents import DocumentInfo
from nonet.agents.lexicon import DOCUMENT_NOUN, compiled

_ATTACHED = compiled(r"\b(?:attach(?:ed|ments?)|enclosed)\b")
_COUNTS = {"both": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_COUNTED = compiled(rf"\b({'|'.join(_COUNTS)}|[2-6]) (?:of the )?(?:\w+ ){{0,2}}?{DOCUMENT_NOUN}\b")
_LABELS = re.compile(r"\b[A-Z]\b")
_LISTED = re.compile(r"\b[A-Z](?:, [A-Z])*,? (?:and|&) [A-Z]\b")


def presumed_attachments(masked: str) -> tuple[DocumentInfo, ...]:
    """What "the attached report" or "attached are two abstracts, A and B" speaks of; empty where nothing does.

    >>> [each.name for each in presumed_attachments("Attached are two abstracts, A and B. Boil each down.")]
    ['A', 'B']
    >>> [each.name for each in presumed_attachments("Condense the three attached reports.")]
    ['attachment 1', 'attachment 2', 'attachment 3']
    >>> [each.name for each in presumed_attachments("Condense the attached abstract.")]
    ['attachment']
    >>> presumed_attachments("Write a function.")
    ()
    """
    if not _ATTACHED.search(masked):
        return ()
    counted = _COUNTED.search(masked)
    if counted is None:
        return (DocumentInfo("attachment"),)
    said = counted.group(1).casefold()
    count = _COUNTS.get(said) or int(said)
    listed = _LISTED.search(masked)
    labels = tuple(_LABELS.findall(listed.group())) if listed else ()
    names = labels if len(labels) == count else tuple(f"attachment {number}" for number in range(1, count + 1))
    return tuple(map(DocumentInfo, names))


def presumed_text(clauses: Sequence[str]) -> tuple[DocumentInfo, ...]:
    """The text that questions like "What happens to Dan throughout the story?" are about.

    Args:
        clauses: the masked words of the request's parts.
    """
    return (DocumentInfo("the text"),) if any(map(is_told, clauses)) else ()
