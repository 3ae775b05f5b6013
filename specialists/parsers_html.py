"""Pages into Markdown, without what is hidden in them."""

from __future__ import annotations

import html
import re

from nonet.specialists.ingest_decode import NotTextError, decode
from nonet.specialists.parsed import DAMAGED, Parsed, ParseError

_MOST_NESTED = 1_000
"""Elements of a page within each other; html-to-markdown leaves out what lies deeper than 1,020."""
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>div|span|table|ul|ol|dl|blockquote|section|article|b|i|em|strong|font)\b", re.IGNORECASE
)
"""Those whose end must be written."""
_LEVELS = {"table": 4, "ul": 2, "ol": 2, "dl": 2}
"""With the rows, cells and items that stand in them."""


def parse_html(data: bytes) -> Parsed:
    """A page. Raises ParseError."""
    text = _decoded(data, "HTML")
    title = re.search(r"<title[^>]*>(.*?)</title>", text[:20_000], re.IGNORECASE | re.DOTALL)
    notes = [f"what is nested more than {_MOST_NESTED:,} deep in it is not read"] if _nested(text) else []
    markdown = from_html(text)
    if notes and not markdown.strip():
        raise ParseError(f"is nested more than {_MOST_NESTED:,} deep, and holds no text above that", "Save it as text.")
    return Parsed(markdown, markdown=True, title=_unescaped(title.group(1)) if title else "", notes=notes)


def _nested(text: str) -> bool:
    """Whether its elements may stand too deep within each other; those that nobody closes count as open."""
    depth = 0
    for match in _TAG.finditer(text):
        levels = _LEVELS.get(match.group("name").lower(), 1)
        depth = max(0, depth - levels) if match.group("end") else depth + levels
        if depth > _MOST_NESTED:
            return True
    return False


def _decoded(data: bytes, kind: str) -> str:
    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", data[:4096], re.IGNORECASE)
    try:
        text, encoding = decode(data)
        if declared and not encoding.startswith("utf"):  # what the page says beats a guess
            text = data.decode(declared.group(1).decode("ascii"))
    except NotTextError:
        raise ParseError(DAMAGED.format(kind=kind), "Save it as UTF-8.") from None
    except (LookupError, UnicodeDecodeError):
        return text
    return text


def _unescaped(text: str) -> str:
    return " ".join(html.unescape(text).split())


def from_html(text: str) -> str:
    """Markdown of a page, without what is hidden in it, scripts, navigation and images."""
    import html_to_markdown  # noqa: PLC0415 - an extra

    options = html_to_markdown.ConversionOptions(extract_metadata=False, skip_images=True)
    return str(html_to_markdown.convert(text, options).content or "")
