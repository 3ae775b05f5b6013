"""How a command meets the terminal: standard output and error, an interrupt, and one event loop."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TextIO, TypeVar

from nonet.errors import NonetError
from nonet.text import clean, to_json

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

T = TypeVar("T")

INTERRUPTED = 130
STOPPING = "Stopping; what is done is kept. Ctrl-C again stops at once."
_SHOW_CURSOR = "\x1b[?25h"


class InterruptedByUserError(NonetError):
    """Ctrl-C or SIGTERM; what was done is kept."""

    exit_status = INTERRUPTED


class UnforeseenError(NonetError):
    """An error that nobody foresaw; its traceback is in a file."""


class OutputClosedError(Exception):
    """Whoever read standard output has gone (`| head`): there is nobody left to work for."""


@contextmanager
def output_faults() -> Iterator[None]:
    """Turn what standard output refuses inside the block into ours. Raises as `write_out`."""
    try:
        yield
    except BrokenPipeError:
        raise OutputClosedError from None
    except OSError as error:
        raise NonetError(f"Standard output cannot be written: {error.strerror}.") from error


def write_out(text: str) -> None:
    """Write to standard output as it is; the caller has cleaned it.

    Raises:
        OutputClosedError: the reader has gone.
        NonetError: the disk is full, or the like.
    """
    with output_faults():
        sys.stdout.write(text)
        if sys.stdout.line_buffering:
            sys.stdout.flush()


def out(text: str) -> None:
    """Write cleaned text and a newline to standard output. Raises as `write_out`."""
    write_out(clean(text) + "\n")


def emit(value: Any) -> None:  # noqa: ANN401  any JSON value
    """Write one JSON value as one line to standard output, at once: who reads JSON lines need not wait.

    Raises:
        OutputClosedError, NonetError: as `write_out`.
    """
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    write_out(to_json(value, ascii_only=ascii_only) + "\n")
    with output_faults():
        sys.stdout.flush()


def error_object(error: NonetError) -> dict[str, str]:
    """What stands under "error" in JSON (docs/json.md)."""
    name = "Interrupted" if error.exit_status == INTERRUPTED else type(error).__name__.removesuffix("Error")
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return {"kind": kind, "message": error.message, "kept": error.kept, "next_step": error.next_step}


def say(text: str) -> None:
    """Write cleaned text to standard error; if nobody reads it any more, that is no reason to stop working."""
    try:
        sys.stderr.write(clean(text) + "\n")
        sys.stderr.flush()
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  lives as long as the process


def is_plain(stream: TextIO) -> bool:
    """True when nothing but lines of plain text should go there: not a terminal, NO_COLOR, or a dumb one."""
    return not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") in {"", "dumb"}


def run_async(
    main: Coroutine[Any, Any, T],
    *,
    on_stop: Callable[[], None] | None = None,
    gently: Callable[[], None] | None = None,
) -> T:
    """Run to the end. The first Ctrl-C or SIGTERM cancels, so that the work is kept; the second ends the process.

    Args:
        on_stop: called once, on the event loop's thread, when the work is being cancelled.
        gently: called there by an interrupt before that, which lets the work come to an end by itself.

    Raises:
        InterruptedByUserError: the work was cancelled and has wound up.
    """
    import asyncio  # noqa: PLC0415  `nonet --help` has no use for it

    with _Interrupts(on_stop or _say_stopping, gently) as interrupts, asyncio.Runner() as runner:
        try:
            return runner.run(interrupts.watch(main))
        except asyncio.CancelledError:
            raise InterruptedByUserError("Interrupted.") from None


def _say_stopping() -> None:
    if sys.stderr.isatty():
        say(STOPPING)


class _Interrupts:
    """Signal handlers for the time of one event loop.

    Our own and not asyncio's, which knows only SIGINT, and after whose second one the process still waits for threads
    that may be deep in a model.
    """

    def __init__(self, on_stop: Callable[[], None], gently: Callable[[], None] | None) -> None:
        self._on_stop = on_stop
        self._gently = gently
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._seen = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    async def watch(self, main: Coroutine[Any, Any, T]) -> T:
        """Run `main` in the task that an interrupt cancels."""
        import asyncio  # noqa: PLC0415

        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self._seen:
            main.close()
            raise asyncio.CancelledError
        return await main

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._gently is not None and self._loop is not None:
            gently, self._gently = self._gently, None
            self._loop.call_soon_threadsafe(gently)
            return
        if self._seen:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), _SHOW_CURSOR.encode())
            os._exit(INTERRUPTED)  # what is committed is safe; waiting is what the user does not want
        self._seen = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._on_stop()
        if self._task is not None:
            self._task.cancel()
