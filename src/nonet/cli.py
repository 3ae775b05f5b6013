"""The command line's front door: runs the app, and turns whatever happens into words and an exit status.

Nothing heavy is imported before `main` runs, so that a Ctrl-C meets our handler and not Python's.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nonet.errors import NonetError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status (docs/cli.md has the table)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = words[: words.index("--")] if "--" in words else words
    wants_json = "--json" in options
    try:
        _prepare_streams()
        if not words and sys.stdin is not None and sys.stdin.isatty():
            return _finish(_session())
        return _finish(_run(words, wants_json=wants_json, debug="--debug" in options))
    except KeyboardInterrupt:  # before the command began its work, or after it
        return _interrupted(wants_json=wants_json)


def _interrupted(*, wants_json: bool) -> int:
    """Say so where somebody may read it; even this is one object for who wants JSON."""
    from nonet.terminal import InterruptedByUserError, OutputClosedError  # noqa: PLC0415

    with contextlib.suppress(OutputClosedError):
        _report(InterruptedByUserError("Interrupted."), wants_json=wants_json)
    return INTERRUPTED


def _run(words: list[str], *, wants_json: bool, debug: bool) -> int:
    import typer  # noqa: PLC0415

    from nonet.app import app  # noqa: PLC0415
    from nonet.errors import NonetError, UsageError  # noqa: PLC0415
    from nonet.terminal import OutputClosedError  # noqa: PLC0415

    # Typer's UsageError has no public name; it is what its BadParameter is derived from.
    misuse: type[Exception] = typer.BadParameter.__bases__[0]
    try:
        status = int(app(args=words, prog_name="nonet", standalone_mode=False) or 0)
    except misuse as error:
        if not wants_json:
            error.show()  # type: ignore[attr-defined]
            return UsageError.exit_status
        message = error.format_message()  # type: ignore[attr-defined]
        return _report(UsageError(message, next_step="`nonet --help` lists the commands."), wants_json=True)
    except NonetError as error:
        return _report(error, wants_json=wants_json)
    except OutputClosedError:
        return 0
    except Exception as error:  # the outermost boundary: what nobody foresaw is written down, not thrown at the user
        if debug:
            raise
        from nonet.unforeseen import unforeseen  # noqa: PLC0415

        return _report(unforeseen(error), wants_json=wants_json)
    if status == INTERRUPTED:  # what Typer makes of a Ctrl-C; our commands raise where they are interrupted
        raise KeyboardInterrupt
    return status


def _session() -> int:
    """`nonet` alone on a terminal: the session, past Typer, which takes a tenth of a second to load."""
    from nonet.errors import NonetError  # noqa: PLC0415
    from nonet.repl.start import start  # noqa: PLC0415

    try:
        return start({}) or 0
    except NonetError as error:
        return _report(error, wants_json=False)
    except Exception as error:  # noqa: BLE001  the outermost boundary, as for the commands
        from nonet.unforeseen import unforeseen  # noqa: PLC0415

        return _report(unforeseen(error), wants_json=False)


def _report(error: NonetError, *, wants_json: bool) -> int:
    """Tell what happened, what was kept and what to do next; the exit status."""
    from nonet.terminal import emit, error_object, say  # noqa: PLC0415

    if wants_json:
        emit({"error": error_object(error)})
    else:
        first = error.message if error.exit_status == INTERRUPTED else f"Error: {error.message}"
        say("\n".join(line for line in (first, error.kept, error.next_step) if line))
    return error.exit_status


def _prepare_streams() -> None:
    """Characters the terminal cannot show are replaced, never an error; a closed stream swallows what is written."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  lives with the process
        getattr(sys, name).reconfigure(errors="replace")


def _finish(status: int) -> int:
    """Flush what is left, while an error can still be told."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # `| head` has seen enough
    except OSError as error:
        sys.stderr.write(f"Error: Standard output cannot be written: {error.strerror}.\n")
        status = status or 1
    else:
        return status
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)  # Python flushes once more at its exit
    return status
