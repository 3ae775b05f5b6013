"""Days and moments as users write them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """A day or a moment as ISO 8601 writes it, in UTC unless it says otherwise. Raises ValueError.

    >>> moment("2024-05-31").isoformat()
    '2024-05-31T00:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date such as 2024-05-31") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
