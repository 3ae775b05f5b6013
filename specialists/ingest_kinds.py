"""What a file is: told by its first bytes, and by its suffix where bytes do not tell."""

from __future__ import annotations

import mimetypes
import re
from enum import StrEnum

READS = "text, Markdown, HTML, PDF, Word, PowerPoint, Excel, CSV, e-mail, notebooks and source code"


class Kind(StrEnum):
    """How a file is read. All but TEXT, MARKDOWN, TABLE and CODE go through a parser in a process of its own."""

    TEXT = "text"
    MARKDOWN = "Markdown"
    TABLE = "CSV"
    CODE = "source code"
    HTML = "HTML"
    PDF = "PDF"
    OFFICE = "Office"
    """A zip archive as Office 2007 and later write it; the parser looks inside for which."""
    OLD_OFFICE = "Office 97"
    """A compound file: Word, Excel or PowerPoint 97 to 2003, or a later one that is encrypted."""
    EMAIL = "e-mail"
    MAILBOX = "mailbox"
    """Messages one after the other, as mbox has them."""
    NOTEBOOK = "notebook"


PLAIN = frozenset({Kind.TEXT, Kind.MARKDOWN, Kind.TABLE, Kind.CODE})

_CODE = """.py .pyi .js .mjs .cjs .jsx .ts .tsx .java .kt .scala .go .rs .c .h .cc .cpp .hpp .cs .rb .php .swift .lua
    .pl .r .jl .sh .bash .sql .zig .hs .ml .ex .exs .erl .clj .dart .m .f90""".split()  # noqa: SIM905  as below
_BY_SUFFIX = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".qmd", ".rmd"), Kind.MARKDOWN),
    **dict.fromkeys((".csv", ".tsv", ".tab"), Kind.TABLE),
    **dict.fromkeys((".html", ".htm", ".xhtml"), Kind.HTML),
    **dict.fromkeys((".docx", ".docm", ".dotx", ".pptx", ".pptm", ".ppsx", ".xlsx", ".xlsm", ".xltx"), Kind.OFFICE),
    **dict.fromkeys((".doc", ".xls", ".ppt"), Kind.OLD_OFFICE),
    **dict.fromkeys(_CODE, Kind.CODE),
    ".pdf": Kind.PDF,
    ".eml": Kind.EMAIL,
    ".mbox": Kind.MAILBOX,
    ".ipynb": Kind.NOTEBOOK,
}
_BINARY = frozenset({Kind.PDF, Kind.OFFICE, Kind.OLD_OFFICE})
UNREAD = {
    ".odt": "OpenDocument", ".ods": "OpenDocument", ".odp": "OpenDocument", ".rtf": "RTF", ".epub": "EPUB",
    ".pages": "Pages", ".numbers": "Numbers", ".key": "Keynote", ".msg": "Outlook message",
}  # fmt: skip
"""Documents that no parser here reads."""
IMAGES = frozenset(".png .jpg .jpeg .gif .bmp .ico .webp .tif .tiff .heic".split())  # noqa: SIM905  as below
NO_TEXT = IMAGES | frozenset(
    """.mp3 .mp4 .wav .ogg .flac .avi .mov .mkv .webm .zip .gz
    .bz2 .xz .zst .7z .rar .tar .whl .jar .class .pyc .so .dylib .dll .exe .o .a .bin .gguf .onnx .safetensors .pt .db
    .sqlite .sqlite3 .woff .woff2 .ttf .otf""".split()  # noqa: SIM905  fifty quotes say nothing
)
"""Files that hold no text; in a folder they are left out without being opened."""
_IMAGE_HEADS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"\x00\x00\x01\x00")
_GIF_HEAD = 64
_PDF_HEAD = 1024
"""Readers accept the mark anywhere in the first kilobyte (ISO 32000-1, annex H, note 13)."""
_MAILBOX_HEAD = re.compile(rb"From [^\n]+ \d{4}\r?\n[A-Za-z-]+:")
"""Mail programs keep mailboxes in files without a suffix."""
_MEDIA = {Kind.MARKDOWN: "text/markdown", Kind.HTML: "text/html", Kind.PDF: "application/pdf",
          Kind.EMAIL: "message/rfc822", Kind.MAILBOX: "application/mbox",
          Kind.NOTEBOOK: "application/x-ipynb+json"}  # fmt: skip


def by_suffix(suffix: str) -> Kind:
    """What the name says it is."""
    return _BY_SUFFIX.get(suffix.lower(), Kind.TEXT)


def kind_of(data: bytes, suffix: str) -> Kind:
    """What the file is. Bytes that say what they are win over the name; without them a binary name means nothing."""
    if b"%PDF-" in data[:_PDF_HEAD]:
        return Kind.PDF
    if data.startswith(b"PK\x03\x04"):
        return Kind.OFFICE
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Kind.OLD_OFFICE
    named = by_suffix(suffix)
    if named in _BINARY:
        named = Kind.TEXT
    if named is Kind.TEXT and data[:_PDF_HEAD].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return Kind.HTML
    return Kind.MAILBOX if named is Kind.TEXT and _MAILBOX_HEAD.match(data[:_PDF_HEAD]) else named


def is_image(data: bytes) -> bool:
    """Whether the first bytes are those of a picture, whatever its name is."""
    if data[4:12] in {b"ftypheic", b"ftypavif"} or (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        return True
    # A text may begin with the word GIF89a; a picture has its size in binary behind it.
    return data.startswith(_IMAGE_HEADS) or (data.startswith((b"GIF87a", b"GIF89a")) and b"\x00" in data[:_GIF_HEAD])


def media_type_of(kind: Kind, suffix: str) -> str:
    """The media type to keep with the document; Office parsers give their own."""
    if kind in _MEDIA:
        return _MEDIA[kind]
    guessed = mimetypes.guess_type(f"a{suffix}", strict=False)[0] if by_suffix(suffix) is kind else None
    return guessed if guessed and guessed.startswith(("text/", "application/")) else "text/plain"
