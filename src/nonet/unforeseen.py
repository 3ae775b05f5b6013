"""An error that nobody foresaw: its traceback into a file, and words for the user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nonet.terminal import UnforeseenError

if TYPE_CHECKING:
    from pathlib import Path


def unforeseen(error: Exception) -> UnforeseenError:
    """Write the traceback down, and say where."""
    what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    path = _write_down(error)
    where = f"The details are in {path}." if path else "The details could not be written anywhere."
    return UnforeseenError(
        f"nonet met something it does not know ({what}).",
        next_step=f"{where} `nonet --debug` and the same command shows them here; please report it.",
    )


def _write_down(error: Exception) -> Path | None:
    """The traceback into the user's state folder, readable by nobody else; None where that cannot be written."""
    import traceback  # noqa: PLC0415

    from platformdirs import user_state_path  # noqa: PLC0415

    path = user_state_path("nonet", appauthor=False) / "last-error.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return None
    return path
