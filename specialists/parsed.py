"""What a parser gives back, and how it says what is wrong with a file."""

from __future__ import annotations

from dataclasses import dataclass, field

DAMAGED = "is damaged, or is no {kind}"


class ParseError(Exception):
    """The file cannot be read: why (a predicate, such as "is encrypted"), and what to do."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


@dataclass(slots=True)
class Parsed:
    """A document as text. Offsets count characters of `text`."""

    text: str
    media_type: str = ""
    """Where it differs from what the file's kind says."""
    markdown: bool = False
    pages: list[tuple[int, int]] = field(default_factory=list)
    """(offset, page), each page that has text, from 1."""
    title: str = ""
    dated: float = 0.0
    """When the document says it was written, seconds since the epoch; 0 where it does not."""
    notes: list[str] = field(default_factory=list)
    """What was left out, in words."""
