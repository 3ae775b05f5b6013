"""A real terminal for tests: a pseudo-terminal with a process on it, and the screen that a person would see."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import pexpect
import pyte

WAIT_SECONDS = 40.0


class _Answering(pyte.HistoryScreen):
    """A screen that says where its cursor is when it is asked, as terminals do."""

    def __init__(self, columns: int, rows: int, process: Any) -> None:
        super().__init__(columns, rows, history=5000, ratio=1.0)
        self._process = process

    def write_process_input(self, data: str) -> None:
        self._process.send(data)


class Screen:
    """`nonet` on a terminal of the given size.

    Args:
        words: of the command line.
        env: in addition to this process's environment.
    """

    def __init__(self, *words: str, columns: int = 100, rows: int = 30, env: Mapping[str, str] | None = None) -> None:
        self.process: Any = pexpect.spawn(
            sys.executable,
            ["-m", "nonet", *words],
            dimensions=(rows, columns),
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})},
            echo=False,
            timeout=WAIT_SECONDS,
        )
        self.process.delaybeforesend = None
        self.raw = b""
        self.screen = _Answering(columns, rows, self.process)
        self.stream = pyte.ByteStream(self.screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close(force=True)

    def type(self, text: str) -> None:
        """Press keys; "\\r" is Enter."""
        self.process.send(text)

    def enter(self, text: str) -> None:
        """Type a line and press Enter."""
        self.type(f"{text}\r")

    def paste(self, text: str) -> None:
        """As a terminal pastes: marked, so that nothing in it counts as a key."""
        data = f"\x1b[200~{text}\x1b[201~".encode()
        for start in range(0, len(data), 4096):
            self.process.send(data[start : start + 4096])
            self._read(0)

    def resize(self, columns: int, rows: int) -> None:
        """A person drags the corner of the window."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    @property
    def text(self) -> str:
        """What can be seen now."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def all_text(self) -> str:
        """What can be seen, with what has scrolled away."""
        above = [
            "".join(row[column].data for column in range(self.screen.columns)).rstrip()
            for row in self.screen.history.top
        ]
        return "\n".join([*above, self.text])

    def until(self, sign: str | Callable[[str], bool], *, everything: bool = False) -> str:
        """Wait until the screen shows it (a pattern, or a function of its text); the screen then."""
        shown = (lambda text: re.search(sign, text) is not None) if isinstance(sign, str) else sign
        deadline = time.monotonic() + WAIT_SECONDS
        while not shown(text := self.all_text if everything else self.text):
            assert time.monotonic() < deadline, f"never shown: {sign}\n{text}"
            if not self._read(0.2) and not self.process.isalive():
                self._read(0)
                text = self.all_text if everything else self.text
                assert shown(text), f"ended without {sign}\n{text}"
                break
        return text

    def ended(self) -> int:
        """Wait until the process has ended; its status."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._read(0.2) or self.process.isalive():
            assert time.monotonic() < deadline, f"still there\n{self.text}"
        self.process.close()
        return int(self.process.exitstatus if self.process.exitstatus is not None else -self.process.signalstatus)

    def _read(self, timeout: float) -> bool:
        try:
            piece = self.process.read_nonblocking(65536, timeout)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        self.raw += piece
        self.stream.feed(piece)
        return True
