"""E-mail into text: who, when and what; attachments are named."""

from __future__ import annotations

import binascii
import email
import email.policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from nonet.specialists.ingest_decode import NotTextError, decode
from nonet.specialists.parsed import DAMAGED, Parsed, ParseError
from nonet.specialists.parsers_html import from_html

_MOST_ATTACHMENTS_NAMED = 20


def parse_email(data: bytes) -> Parsed:
    """A message. Raises ParseError."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise ParseError(DAMAGED.format(kind="e-mail"), "Save the message as .eml.")
    lines = [f"{name}: {_header(message, name)}" for name in ("From", "To", "Cc", "Date", "Subject") if message[name]]
    attached = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    notes = [f"attachments are not read: {', '.join(attached[:_MOST_ATTACHMENTS_NAMED])}"] if attached else []
    text = "\n".join(lines) + "\n\n" + _body(message)
    return Parsed(text, title=_header(message, "Subject"), dated=_dated(message), notes=notes)


def _header(message: EmailMessage, name: str) -> str:
    raw = next((str(value) for key, value in message.raw_items() if key.casefold() == name.casefold()), "")
    if any("\udc80" <= letter <= "\udcff" for letter in raw):  # bytes that no header may have, of some encoding
        return " ".join(_any(raw.encode("utf-8", "surrogateescape")).split())
    try:
        return " ".join(str(message[name] or "").split())
    except (ValueError, LookupError, IndexError, AttributeError):  # what the standard library makes of garbage
        return ""


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, UnicodeError, ValueError, binascii.Error):
        payload = part.get_payload(decode=True)
        content = _any(payload) if isinstance(payload, bytes) else ""
    return from_html(content) if part.get_content_subtype() == "html" else content


def _any(data: bytes) -> str:
    """Text of an encoding that nothing tells, or tells wrongly."""
    try:
        return decode(data)[0]
    except NotTextError:
        return data.decode("utf-8", "replace")


def _dated(message: EmailMessage) -> float:
    try:
        return parsedate_to_datetime(_header(message, "Date")).timestamp()
    except (ValueError, OverflowError, TypeError):
        return 0.0
