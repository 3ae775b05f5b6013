"""Opens the session on whatever this process was given for a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Any

from nonet.repl import preferences as kept


def start(flags: Mapping[str, Any], *, resume: str | None = None, plain: bool = False) -> int | None:
    """Run a session to its end; the exit status, None where standard input held nothing.

    Args:
        flags: settings from the command line.
        resume: a session to go on with, by id, name, or "last".
        plain: redraw nothing, whatever the terminal can do.
    """
    if sys.stdin is None:  # closed: nobody will say anything
        return None
    preferences = kept.load()
    options = {"flags": {key: str(value) if key == "db" else value for key, value in flags.items()}, "resume": resume}
    if plain or preferences.plain or not _redraws():
        from nonet.repl.plain import Plain  # noqa: PLC0415

        async def in_lines() -> int | None:
            return await Plain({**options, "plain": True}).run()

        return asyncio.run(in_lines())
    from nonet.repl.front import Front  # noqa: PLC0415  prompt_toolkit, which pipes have no use for

    async def on_terminal() -> int:
        return await Front({**options, "plain": False}, preferences).run()

    return asyncio.run(on_terminal())


def _redraws() -> bool:
    """Whether the terminal can be written over."""
    both = sys.stdin.isatty() and sys.stdout.isatty()
    return both and os.environ.get("TERM", "dumb") not in {"", "dumb"}
