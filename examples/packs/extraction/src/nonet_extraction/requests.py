"""Reads what a request wants: the classes it names, or the fields."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST = 20
"""Classes or fields of one request."""
_LONGEST_WORDS = 5
_CLASSES = (
    re.compile(
        r"\b(?:labels?|classes|categories|options|types?|kinds?)\s*(?:are|is)?\s*:\s*(?P<list>[^.?!\n]+)", re.IGNORECASE
    ),
    re.compile(r"\b(?:one of|either|whether (?:it|this|that) is|between)\s*:?\s+(?P<list>[^.?!\n]+)", re.IGNORECASE),
    re.compile(r"\b(?:as|into)\s*:?\s+(?P<list>[^.?!\n]*(?:,|\bor\b|\band\b|/)[^.?!\n]+)", re.IGNORECASE),
    re.compile(
        r"\b(?:is|are) (?:it|they|(?:this|that|these|the)(?: \w+)?) (?:about )?(?=\S+(?: \S+)?(?:,| or ))"
        r"(?P<list>[^.?!\n]*\bor\b[^.?!\n]+)",
        re.IGNORECASE,
    ),
    re.compile(r":\s*(?P<list>[^.?!\n]*(?:,|\bor\b|/)[^.?!\n]+)"),
    re.compile(r"\((?P<list>[^()\n]*(?:,|\bor\b|/)[^()\n]+)\)"),
)
_FIELDS = re.compile(
    r"\b(?:extract|get|pull(?: out)?|take(?: out)?|read(?: out)?|find|list|give(?: me)?|tell me|fill in|return"
    r"|what (?:is|are))\b\s*(?:for me\s*)?:?\s*(?P<list>.+?)"
    r"(?=\s+(?:from|out of|in|of|that|which|as)"
    r" (?:the|this|that|these|each|every|an?|it|json|my|our|@?[\w./-]+\.\w+)\b|[.?!\n]|$)",
    re.IGNORECASE | re.DOTALL,
)
_SPLIT = re.compile(r"\s*(?:,|;|/|\n)\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+", re.IGNORECASE)
_LEAD = re.compile(r"^(?:(?:the|an?|its|their|his|her|all|both|either|a kind of|about|it is)\s+)+", re.IGNORECASE)


def classes_of(request: str) -> tuple[str, ...]:
    """The classes that a request names, in order; empty where it names fewer than two.

    >>> classes_of("Sort this letter into complaint, order or question.")
    ('complaint', 'order', 'question')
    """
    for pattern in _CLASSES:
        for match in pattern.finditer(request):
            found = _items(match.group("list"))
            if 1 < len(found) <= MOST:
                return found
    return ()


def fields_of(request: str) -> tuple[str, ...]:
    """The fields that a request names, in order.

    >>> fields_of("Extract the invoice number, the date and the total amount from the letter.")
    ('invoice number', 'date', 'total amount')
    """
    match = _FIELDS.search(request)
    return _items(match.group("list"))[:MOST] if match else ()


def key_of(field: str) -> str:
    """A field's name as a key of JSON.

    >>> key_of("Invoice number")
    'invoice_number'
    """
    return re.sub(r"\W+", "_", field.strip().casefold()).strip("_") or "value"


def _items(text: str) -> tuple[str, ...]:
    plain = [_LEAD.sub("", item.strip(" \"'`.:")) for item in _SPLIT.split(text)]
    return tuple(dict.fromkeys(item for item in plain if item and len(item.split()) <= _LONGEST_WORDS))


def no_list(what: str, example: str) -> str:
    """What to tell somebody whose request names nothing."""
    return f"the request names no {what}; name them: {example}"


def spoken(items: Sequence[str]) -> str:
    """A list in words."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"
