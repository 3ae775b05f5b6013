"""Bytes into text: Unicode as what it is, older encodings guessed, and what is no text refused."""

from __future__ import annotations

import re

from charset_normalizer import from_bytes

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SNIFF_BYTES = 262_144
"""The detector's time grows with its input; a quarter of a megabyte decides as well."""
_COMMONEST = "cp1252"
_LEGACY = (
    _COMMONEST, "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256",
    "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROL_SHARE = 0.002
"""Text has next to none; a binary file that happens to decode has many."""
_MOST_BROKEN_SHARE = 0.01
"""Of a file that is UTF-8 but for some bytes: two encodings in one file, most often logs and mail folders."""
_LINE = re.compile(rb"[^\n]*\n?")


class NotTextError(ValueError):
    """The bytes are no text in any encoding that could be told."""


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding as Python names it); "utf-8, mixed" where single lines of UTF-8 text had to be guessed.

    Raises:
        NotTextError: binary, or of an encoding that cannot be told.
    """
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "")
    if not encoding:
        if b"\x00" in data:
            raise NotTextError
        try:
            return _checked(data.decode("utf-8")), "utf-8"
        except UnicodeDecodeError:
            if (text := _mixed(data)) is not None:
                return _checked(text), "utf-8, mixed"
            encoding = _guess(data[:_SNIFF_BYTES])
            if not encoding:
                raise NotTextError from None
    try:
        return _checked(data.decode(encoding)), encoding
    except UnicodeDecodeError:
        raise NotTextError from None


def _mixed(data: bytes) -> str | None:
    """UTF-8 with lines of another encoding between, each line decoded as what it is; None where it is not that."""
    whole = data.decode("utf-8", "replace")
    if not any(ord(letter) > 0x7F for letter in whole.replace("\ufffd", "")):  # noqa: PLR2004 - beyond ASCII
        return None
    if whole.count("\ufffd") > max(1.0, _MOST_BROKEN_SHARE * len(whole)) and not _mostly_unicode(data):
        return None
    return "".join(_line(match.group()) for match in _LINE.finditer(data))


def _mostly_unicode(data: bytes) -> bool:
    """Whether half of the lines that are not ASCII are UTF-8, which those of older encodings are not by chance."""
    sound = broken = 0
    for match in _LINE.finditer(data[:_SNIFF_BYTES]):
        if not match.group().isascii():
            try:
                match.group().decode("utf-8")
                sound += 1
            except UnicodeDecodeError:
                broken += 1
    return sound > 0 and sound >= broken


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode(_COMMONEST, "replace")


def _guess(data: bytes) -> str:
    """The likeliest encoding, "" for none. Of equals the commonest, which the detector does not weigh."""
    found = from_bytes(data, cp_isolation=list(_LEGACY))
    best = found.best()
    if best is None:
        return ""
    equals = [match for match in found if match.chaos <= best.chaos and match.coherence >= best.coherence]
    if any(_COMMONEST in match.could_be_from_charset for match in equals):
        return _COMMONEST
    return best.encoding


def _checked(text: str) -> str:
    controls = sum(1 for _ in _CONTROL.finditer(text[:_SNIFF_BYTES]))
    if "\x00" in text or controls > _MOST_CONTROL_SHARE * min(len(text), _SNIFF_BYTES) + 1:
        raise NotTextError
    return text
