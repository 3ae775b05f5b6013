"""Completion of commands, and of what their words and references may name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from nonet.repl.registry import COMMANDS, find

if TYPE_CHECKING:
    from nonet.repl.talk import Talk

_REFERENCE = re.compile(r"(?:^|(?<=\s))@(\"[^\"]*|\S*)$")
_MOST_FILES = 200
_LONGEST_LINE = 2000
"""In a longer line nothing is completed: looking it through would hold up the keys."""


def wants_completion(document: Document) -> bool:
    """While typing, only for a command and for a reference; plain words are left alone."""
    before = document.current_line_before_cursor[-_LONGEST_LINE:]
    return document.text[:1] == "/" or _REFERENCE.search(before) is not None


class Completions(Completer):
    """What the registry and the engine's names say."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterable[Completion]:
        """Commands at the beginning, references anywhere, the words of a command after it."""
        before = document.text_before_cursor
        if len(before) > _LONGEST_LINE:
            return
        if (found := _REFERENCE.search(before)) is not None:
            yield from self._references(found[1])
        elif before.startswith("/") and " " not in before:
            for command in COMMANDS:
                if command.name.startswith(before[1:]):
                    yield Completion(f"/{command.name}", -len(before), display_meta=command.summary)
        elif before.startswith("/"):
            yield from self._words(before)

    def _words(self, before: str) -> Iterator[Completion]:
        name, _, words = before[1:].partition(" ")
        command = find(name)
        last = words.rpartition(" ")[2]
        for kind in command.completes if command is not None else ():
            if kind == "files":
                yield from (Completion(path, -len(last)) for path in files(last))
            else:
                candidates = kind.removeprefix("=").split("|") if kind.startswith("=") else self._named(kind)
                yield from (Completion(each, -len(last)) for each in candidates if each.startswith(last))

    def _named(self, kind: str) -> list[str]:
        return [each.name for each in COMMANDS] if kind == "commands" else self._talk.names.get(kind, [])

    def _references(self, begun: str) -> Iterator[Completion]:
        if not begun.startswith('"'):
            for kind in ("artifacts", "runs", "documents"):
                for name in self._talk.names.get(kind, []):
                    if name.startswith(begun):
                        yield Completion(name, -len(begun), display_meta=kind.removesuffix("s"))
        for path in files(begun.removeprefix('"')):
            spelled = f'"{path}' if begun.startswith('"') or " " in path else path
            yield Completion(spelled, -len(begun), display_meta="file")


def files(begun: str) -> Iterator[str]:
    """Paths that begin so, folders with a slash."""
    head, slash, tail = begun.rpartition("/")
    folder = Path((head + slash) or ".").expanduser()
    try:
        with os.scandir(folder) as found:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in found
                if entry.name.startswith(tail) and (tail or not entry.name.startswith("."))
            )
    except OSError:
        return
    for name in names[:_MOST_FILES]:
        yield head + slash + name
