"""A model's answer to a question, cleaned, and whether it is one."""

from __future__ import annotations

import re

_DECLINED = re.compile(
    r"^\W*(?:not (?:stated|mentioned|given|specified|found|available|provided)|unknown|n/?a\b|none\b|no answer|"
    r"the (?:passages?|text|documents?) (?:do|does) not|(?:i )?(?:do not|don't) know|it is not (?:stated|mentioned))",
    re.IGNORECASE,
)


def cleaned(raw: str) -> str:
    """The answer's first paragraph, without labels and passage numbers."""
    text = re.sub(r"^\W*(?:short\s+)?answer\s*[:\-]\s*", "", raw.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\s*\[\d{1,2}\](?:,?\s*(?=\[))?", "", text.split("\n\n", 1)[0])
    return " ".join(text.split())


def declines(answer: str) -> bool:
    """Whether the answer says that there is none."""
    return bool(_DECLINED.match(answer))
