"""Files into documents: text, Markdown and source files, decoded, checked, and cut into chunks.

Reading never blocks (pipes and devices are refused before they are opened) and never guesses in silence: the encoding
that was used is part of what comes back.
"""

from __future__ import annotations

import errno
import mimetypes
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from nonet.errors import DocumentError
from nonet.specialists.budget import Span, split_chars

SUPPORTED = "text, Markdown and source files"
MAX_BYTES = 50_000_000
CHUNK_CHARS = (1_200, 1_800)
"""200 to 300 words of English: long enough to answer from, short enough that several fit a small window."""
CHUNK_OVERLAP_CHARS = 200
"""One or two sentences, so that what a cut separates still stands together once."""

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".qmd", ".rmd"})
_LATER = {
    ".pdf": "PDF", ".docx": "DOCX", ".doc": "Word", ".odt": "OpenDocument", ".rtf": "RTF", ".epub": "EPUB",
    ".html": "HTML", ".htm": "HTML", ".xhtml": "HTML", ".xlsx": "Excel", ".pptx": "PowerPoint", ".ipynb": "Jupyter",
}  # fmt: skip
_NO_TEXT = frozenset(
    """.png .jpg .jpeg .gif .bmp .ico .webp .tif .tiff .heic .mp3 .mp4 .wav .ogg .flac .avi .mov .mkv .webm .zip .gz
    .bz2 .xz .zst .7z .rar .tar .whl .jar .class .pyc .so .dylib .dll .exe .o .a .bin .gguf .onnx .safetensors .pt .db
    .sqlite .sqlite3 .woff .woff2 .ttf .otf""".split()  # noqa: SIM905  fifty quotes say nothing
)
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


@dataclass(frozen=True, slots=True)
class IngestedDocument:
    """A document, ready for the store. Every offset counts characters of `text`."""

    name: str
    text: str
    """With line ends as "\\n" and without a byte order mark."""
    media_type: str
    path: Path
    chunks: tuple[Span, ...]
    """(start, end) pairs that overlap a little and cover the whole text."""
    size_bytes: int
    """Of the file."""
    encoding: str = "utf-8"
    """As Python names it; anything but UTF was guessed."""


class FoundFile(NamedTuple):
    """A file to read, and the name its document gets."""

    path: Path
    name: str


class FoundDocuments(NamedTuple):
    """What `find_documents` found, and what it left out."""

    files: tuple[FoundFile, ...]
    skipped: tuple[tuple[Path, str], ...]
    """(path, reason) pairs."""


def read_document(path: Path, *, name: str | None = None, max_bytes: int = MAX_BYTES) -> IngestedDocument:
    """Read one text, Markdown or source file.

    UTF-8, and UTF-16 or UTF-32 with a byte order mark, are read as what they are; anything else as what
    charset-normalizer takes it for.

    Args:
        path: the file.
        name: what to call the document; the file's name unless given.
        max_bytes: refuse a larger file.

    Raises:
        DocumentError: missing, unreadable, a folder, a pipe or device, empty, too large, binary, or of a kind that is
            not read yet.
    """
    _refuse_by_suffix(path)
    data = _read_bytes(path, max_bytes)
    if data.startswith(b"%PDF-"):
        raise _unsupported(path, "PDF")
    text, encoding = _decode(path, data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DocumentError(f"{path} is empty.", next_step="Name a file that holds some text.")
    media_type = _media_type(path)
    chunks = split_chars(text, CHUNK_CHARS, overlap=CHUNK_OVERLAP_CHARS, markdown=media_type == "text/markdown")
    return IngestedDocument(name or path.name, text, media_type, path, tuple(chunks), len(data), encoding)


def _refuse_by_suffix(path: Path) -> None:
    if kind := _LATER.get(path.suffix.lower()):
        raise _unsupported(path, kind)


def _unsupported(path: Path, kind: str) -> DocumentError:
    return DocumentError(
        f"{path} is a {kind} file, which nonet does not read yet.",
        next_step=f"Save it as plain text or Markdown; nonet reads {SUPPORTED}.",
    )


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    try:
        _check_kind(path, path.stat())
        # O_NONBLOCK: should the path turn into a pipe between the two checks, opening it still returns at once.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
            status = os.fstat(descriptor)
            _check_kind(path, status)
            if status.st_size > max_bytes:
                raise _too_large(path, status.st_size, max_bytes)
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise _os_error(path, error) from error
    if len(data) > max_bytes:
        raise _too_large(path, len(data), max_bytes)
    return data


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DocumentError(f"{path} is a folder.", next_step="Name a file in it, or add the whole folder.")
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError(f"{path} is a pipe, socket or device.", next_step="Name a regular file.")


def _too_large(path: Path, size: int, max_bytes: int) -> DocumentError:
    return DocumentError(
        f"{path} has {size:,} bytes; at most {max_bytes:,} are read.", next_step="Split the file and add the parts."
    )


def _os_error(path: Path, error: OSError | ValueError) -> DocumentError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DocumentError(f"{path} does not exist.", next_step="Check the path.")
    if isinstance(error, PermissionError):
        return DocumentError(f"{path} may not be read.", next_step="Check the file's permissions.")
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return DocumentError(f"{path} is a link that leads back to itself.", next_step="Name the file itself.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DocumentError(f"{path} cannot be read: {reason}.", next_step="Check the path and the disk.")


def _decode(path: Path, data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "")
    if not encoding:
        if b"\x00" in data:
            raise _binary(path)
        try:
            return _checked(path, data.decode("utf-8")), "utf-8"
        except UnicodeDecodeError:
            encoding = _guess(data[:_SNIFF_BYTES])
            if not encoding:
                raise _binary(path) from None
    try:
        return _checked(path, data.decode(encoding)), encoding
    except UnicodeDecodeError:
        raise _binary(path) from None


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


def _checked(path: Path, text: str) -> str:
    controls = sum(1 for _ in _CONTROL.finditer(text[:_SNIFF_BYTES]))
    if "\x00" in text or controls > _MOST_CONTROL_SHARE * min(len(text), _SNIFF_BYTES) + 1:
        raise _binary(path)
    return text


def _binary(path: Path) -> DocumentError:
    return DocumentError(
        f"{path} is not text, or its encoding cannot be told.", next_step=f"Save it as UTF-8; nonet reads {SUPPORTED}."
    )


def _media_type(path: Path) -> str:
    if path.suffix.lower() in _MARKDOWN:
        return "text/markdown"
    guessed = mimetypes.guess_type(path.name, strict=False)[0]
    return guessed if guessed and guessed.startswith(("text/", "application/")) else "text/plain"


def find_documents(paths: Sequence[Path]) -> FoundDocuments:
    """The files to read, in the order given and sorted within each folder.

    Folders are searched all the way down. What is hidden, binary by its suffix, of a kind not read yet, no regular
    file, or a link out of the folder is skipped with its reason; a link to a folder is never followed, so that loops
    cannot arise. A file named itself is always in, whatever it is: reading it says what is wrong with it.

    Names are unique: a file's own name, or its path within the folder given; where two collide, the folder's name
    goes in front, then its whole path.

    Raises:
        DocumentError: a path does not exist or a folder cannot be listed.
    """
    files: list[FoundFile] = []
    skipped: list[tuple[Path, str]] = []
    seen: dict[Path, str] = {}
    taken: set[str] = set()
    for root in paths:
        for path, reason in _walk_root(root):
            if reason:
                skipped.append((path, reason))
                continue
            real = path.resolve()
            if real in seen:
                skipped.append((path, f"the same file as {seen[real]}"))
                continue
            name = _free_name(root, path, taken)
            taken.add(name)
            seen[real] = name
            files.append(FoundFile(path, name))
    return FoundDocuments(tuple(files), tuple(skipped))


def _walk_root(root: Path) -> Iterator[tuple[Path, str]]:
    try:
        mode = root.stat().st_mode
    except (OSError, ValueError) as error:
        raise _os_error(root, error) from error
    if not stat.S_ISDIR(mode):
        yield root, ""
        return
    try:
        yield from _walk(root, root.resolve())
    except OSError as error:
        raise _os_error(Path(error.filename or root), error) from error


def _walk(folder: Path, top: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            yield path, "hidden"
        elif path.is_symlink() and path.is_dir():
            yield path, "a link to a folder"
        elif path.is_dir():
            if os.access(path, os.R_OK | os.X_OK):
                yield from _walk(path, top)
            else:
                yield path, "may not be listed"
        else:
            yield path, _reason_to_skip(path, top)


def _reason_to_skip(path: Path, top: Path) -> str:
    suffix = path.suffix.lower()
    if path.is_symlink() and not path.exists():
        return "a broken link"
    if path.is_symlink() and not path.resolve().is_relative_to(top):
        return "a link that leads out of the folder"
    if not path.is_file():
        return "a pipe, socket or device"
    if suffix in _LATER:
        return f"{_LATER[suffix]} is not read yet"
    return "not a text file" if suffix in _NO_TEXT else ""


def _free_name(root: Path, path: Path, taken: set[str]) -> str:
    if path == root:
        candidates = [path.name, f"{path.resolve().parent.name}/{path.name}"]
    else:
        relative = path.relative_to(root).as_posix()
        candidates = [relative, f"{root.resolve().name}/{relative}"]
    candidates.append(path.resolve().as_posix())
    return next((name for name in candidates if name not in taken), candidates[-1])
