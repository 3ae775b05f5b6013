"""E-mail into text: who, when and what, with what is attached; and mailboxes, a section a message."""

from __future__ import annotations

import binascii
import email
import email.policy
import mimetypes
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import PurePath

from nonet.specialists.ingest_decode import NotTextError, decode
from nonet.specialists.ingest_kinds import NO_TEXT, PLAIN, UNREAD, Kind, by_suffix, is_image, kind_of
from nonet.specialists.parsed import DAMAGED, Parsed, ParseError
from nonet.specialists.parsers_html import from_html

ParseAttached = Callable[[Kind, bytes], Parsed]
"""Reads a document that is attached. Raises ParseError."""

_MOST_NAMED = 20
_MOST_READ = 50
"""Attachments of a message."""
_MOST_CHARACTERS = 10_000_000
"""Of a message's attachments together."""
_DEEPEST = 3
"""Messages that are attached to messages."""
_FROM = re.compile(rb"(?:\A[\r\n]*|\n\r?\n)From (?:[^\n]* \d{4}[^\n]*|-?[ \t]*\r?)\n(?=[A-Za-z-]+:)")
"""The line in front of each message of a mailbox: it has a date, or nothing (Thunderbird), and a header follows. The
standard library's mailbox wants a file of its own, which the process that parses has not; and it takes a line within
a text for one."""
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def parse_email(data: bytes, parse: ParseAttached | None) -> Parsed:
    """A message, with the text of what is attached to it under the attachment's name. Raises ParseError.

    With nothing to parse it by, what is attached is named.
    """
    return _parse(data, _Attached(parse))


def parse_mailbox(data: bytes) -> Parsed:
    """All messages of an mbox file, each under its subject, as of the newest. What is attached is named.

    Raises:
        ParseError: there is no message in it.
    """
    attached = _Attached(None)
    sections: list[str] = []
    dated, broken = 0.0, 0
    for raw in _messages(data):
        try:
            parsed = _parse(raw, attached)
        except Exception:  # noqa: BLE001 - whatever the standard library makes of one message, the others are fine
            broken += 1
            continue
        sections.append(f"# {parsed.title or 'Without a subject'}\n\n{parsed.text.strip()}")
        dated = max(dated, parsed.dated)
    if not sections:
        raise ParseError(DAMAGED.format(kind="mailbox"), "Export it from its program as mbox or EML files.")
    notes = [f"{broken} of {broken + len(sections)} messages cannot be read"] if broken else []
    return Parsed("\n\n".join(sections), markdown=True, dated=dated, notes=[*notes, *attached.notes()])


def _messages(data: bytes) -> Iterator[bytes]:
    marks = list(_FROM.finditer(data))
    ends = [*(mark.start() for mark in marks[1:]), len(data)]
    for mark, end in zip(marks, ends, strict=False):
        yield _QUOTED_FROM.sub(rb"\1", data[mark.end() : end])


def _parse(data: bytes, attached: _Attached, depth: int = 0) -> Parsed:
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise ParseError(DAMAGED.format(kind="e-mail"), "Save the message as .eml.")
    lines = [f"{name}: {_header(message, name)}" for name in ("From", "To", "Cc", "Date", "Subject") if message[name]]
    text = "\n".join(lines) + "\n\n" + _body(message)
    below = [attached.read(part, depth) for part in message.iter_attachments()]
    sections = [section for section in below if section]
    whole = "\n\n".join([text, *sections]) if sections else text
    notes = attached.notes() if depth == 0 else []
    return Parsed(whole, markdown=bool(sections), title=_header(message, "Subject"), dated=_dated(message), notes=notes)


@dataclass(slots=True)
class _Attached:
    """Reads what is attached to one message, or to the messages of a mailbox, and remembers what it could not."""

    parse: ParseAttached | None
    """None: nothing is read."""
    unread: list[str] = field(default_factory=list)
    count: int = 0
    characters: int = 0

    def read(self, part: Message, depth: int) -> str:
        """Its text under its name; "" where it is not read, which is remembered."""
        name = " ".join((part.get_filename() or part.get_content_type()).split())
        if self.parse is None:
            self.unread.append(name)
            return ""
        try:
            text = self._text(part, name, depth, self.parse).strip()
        except ParseError as error:
            self.unread.append(f"{name} ({error.reason})")
        except Exception as error:  # noqa: BLE001 - whatever a parser makes of it, the message is read
            self.unread.append(f"{name} (cannot be parsed: {type(error).__name__})")
        else:
            return f"# {name}\n\n{text}"
        return ""

    def _text(self, part: Message, name: str, depth: int, parse: ParseAttached) -> str:
        self.count += 1
        if self.count > _MOST_READ:
            raise ParseError(f"only the first {_MOST_READ} are", "")
        if part.get_content_type() == "message/rfc822":
            if depth >= _DEEPEST:
                raise ParseError("is nested too deeply", "")
            inner = part.get_payload(0)
            text = _parse(inner.as_bytes(), self, depth + 1).text if isinstance(inner, Message) else ""
            size = 0  # What is attached to it was counted.
        else:
            data = part.get_payload(decode=True)
            suffix = PurePath(name).suffix.lower() or mimetypes.guess_extension(part.get_content_type()) or ""
            text = _text_of(data if isinstance(data, bytes) else b"", suffix, parse)
            size = len(text)
        if not text.strip():
            raise ParseError("is empty", "")
        if self.characters + size > _MOST_CHARACTERS:
            raise ParseError(f"together they hold more than {_MOST_CHARACTERS:,} characters", "")
        self.characters += size
        return text

    def notes(self) -> list[str]:
        """What was not read, by name."""
        if not self.unread:
            return []
        more = len(self.unread) - _MOST_NAMED
        named = ", ".join(self.unread[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        return [f"attachments are not read: {named}"]


def _text_of(data: bytes, suffix: str, parse: ParseAttached) -> str:
    """The text of a file that is attached. Raises ParseError."""
    if is_image(data):
        raise ParseError("is an image", "")
    if suffix in NO_TEXT or suffix in UNREAD:
        raise ParseError(f"{UNREAD.get(suffix, suffix)} is not read", "")
    kind, named = kind_of(data, suffix), by_suffix(suffix)
    if kind not in PLAIN:
        return parse(kind, data).text
    if named not in PLAIN:
        raise ParseError(DAMAGED.format(kind=named), "")
    try:
        return decode(data)[0]
    except NotTextError:
        raise ParseError("is not text, or its encoding cannot be told", "") from None


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
