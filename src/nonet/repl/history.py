"""What was said in earlier sessions, for the arrow keys and Ctrl-R; a file that only its user reads, and bounded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory

from nonet.repl.preferences import write_private

LONGEST_ENTRY = 20_000
MOST_BYTES = 2_000_000
"""A larger file loses its older half when it is next read."""


class SessionHistory(FileHistory):
    """prompt_toolkit's history file, kept private and bounded; a disk that refuses loses the history only."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def load_history_strings(self) -> Iterable[str]:
        """The newest first."""
        with suppress(OSError):
            self._trim()
        try:
            yield from super().load_history_strings()
        except OSError:
            return

    def store_string(self, string: str) -> None:
        """Keep it, unless it is too long to be wanted again."""
        if len(string) > LONGEST_ENTRY:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            super().store_string(string.encode(errors="replace").decode())

    def _trim(self) -> None:
        if not self._path.exists() or self._path.stat().st_size <= MOST_BYTES:
            return
        text = self._path.read_text(encoding="utf-8", errors="replace")
        _, _, newer = text[len(text) // 2 :].partition("\n# ")
        write_private(self._path, f"\n# {newer}")
