"""What is pasted: a path becomes a reference, and a long text a file that is referred to. Nothing is run by a paste."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nonet.repl.preferences import write_private

LONGEST_CHARACTERS = 20_000
"""What is longer is not typed into the line, where it could be neither seen nor sent as one task."""
_ESCAPED = re.compile(r"\\(.)")
_LONGEST_PATH = 4096


def pasted(text: str, folder: Path) -> str:
    """What stands in the line after the paste.

    Args:
        folder: where long texts are put.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if reference := path_reference(text):
        return reference
    if len(text) <= LONGEST_CHARACTERS:
        return text
    path = folder / f"paste-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:10]}.txt"
    try:
        write_private(path, text.encode(errors="replace").decode())
    except OSError:
        return text[:LONGEST_CHARACTERS] + "\n[the rest of the paste could not be kept: the disk refuses it]"
    return f"{reference_to(path)} "


def opened(word: str) -> Path:
    """The path a user means: a reference's mark and a home's sign read."""
    return Path(os.path.expanduser(word.removeprefix("@").strip('"')))  # noqa: PTH111  Path's own raises for no such user


def reference_to(path: Path) -> str:
    """How a file is referred to."""
    return f'@"{path}"' if re.search(r"[\s\"']", str(path)) else f"@{path}"


def path_reference(text: str) -> str:
    """The pasted paths as references; empty where the text is not paths of files that exist.

    Terminals paste a dragged file quoted, with escaped spaces, or as a file: address.
    """
    lines = [line for line in text.strip().split("\n") if line.strip()]
    if not lines or len(text) > _LONGEST_PATH:
        return ""
    references = []
    for line in lines:
        found = next((path for path in _readings(line.strip()) if is_there(path)), None)
        if found is None:
            return ""
        references.append(reference_to(found))
    return " ".join(references) + " "


def _readings(line: str) -> list[Path]:
    if line.startswith("file://"):
        return [Path(unquote(urlsplit(line).path))]
    plain = line[1:-1] if len(line) > 1 and line[0] == line[-1] and line[0] in "'\"" else line
    if not ("/" in plain or "\\" in plain or "." in plain):
        return []  # a word that happens to be the name of a file is a word
    return [Path(plain).expanduser(), Path(_ESCAPED.sub(r"\1", plain)).expanduser()]


def is_there(path: Path) -> bool:
    """Whether the path names anything; no path that cannot be does."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
