"""A timeline as a Chrome trace, which Perfetto (ui.perfetto.dev) and chrome://tracing open; whole, or as it happens.

The format is the JSON array of the "Trace Event Format": its closing bracket may be missing, so that a file can be
opened while it still grows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nonet.errors import StoreWriteError, UsageError
from nonet.graphs.timeline import Rows, Span, call_spans

if TYPE_CHECKING:
    from nonet.store import CallRecord

_MICROSECONDS = 1e6
_KINDS = ("attempt", "wait", "call", "load", "prompt", "answer")


@dataclass(slots=True)
class _Numbers:
    """Processes and threads are numbers in a trace; their names are told once, when they first come."""

    groups: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def events(self, span: Span) -> list[dict[str, Any]]:
        """The span, after the names that are new with it."""
        told: list[dict[str, Any]] = []
        process = self.groups.get(span.group)
        if process is None:
            process = self.groups[span.group] = len(self.groups) + 1
            told.append(_named("process_name", process, 0, span.group))
        row = (span.group, span.row)
        thread = self.rows.get(row)
        if thread is None:
            thread = self.rows[row] = len(self.rows) + 1
            told.append(_named("thread_name", process, thread, span.row))
        event = {
            "ph": "X",
            "name": span.name,
            "cat": span.kind,
            "pid": process,
            "tid": thread,
            "ts": round(span.began_s * _MICROSECONDS),
            "dur": round(max(0.0, span.ended_s - span.began_s) * _MICROSECONDS),
            "args": span.facts,
        }
        return [*told, event]


def _named(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def to_trace(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """The events of a whole timeline."""
    numbers = _Numbers()
    return [event for span in spans for event in numbers.events(span)]


def from_trace(path: Path) -> list[Span]:
    """The timeline that a trace was made of, finished or not.

    Raises:
        UsageError: it is none of ours.
    """
    try:
        text = path.read_text(encoding="utf-8").rstrip().rstrip(",")
        events = json.loads(text if text.endswith("]") else text + "]")
        names = {
            (event["name"], event["pid"], event["tid"]): event["args"]["name"] for event in events if event["ph"] == "M"
        }
        return [
            Span(
                event["cat"],
                names["process_name", event["pid"], 0],
                names["thread_name", event["pid"], event["tid"]],
                event["name"],
                event["ts"] / _MICROSECONDS,
                (event["ts"] + event["dur"]) / _MICROSECONDS,
                event["args"],
            )
            for event in events
            if event["ph"] == "X" and event["cat"] in _KINDS
        ]
    except OSError as error:
        raise UsageError(f"The trace {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a trace that nonet wrote.") from error


class TraceFile:
    """Writes the calls of this process as they end; a reader may open it meanwhile.

    Raises:
        StoreWriteError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._numbers = _Numbers()
        self._rows = Rows()
        try:
            self._file: IO[str] = path.open("w", encoding="utf-8")
        except OSError as error:
            raise StoreWriteError(
                f"The trace {path} cannot be written: {error.strerror}.", next_step="Name another file with trace_file."
            ) from error
        self._file.write("[\n")

    def add(self, run: str, call: CallRecord) -> None:
        """A call that ended."""
        events = [event for span in call_spans(run, call, self._rows) for event in self._numbers.events(span)]
        self._file.write("".join(json.dumps(event) + ",\n" for event in events))
        self._file.flush()

    def close(self) -> None:
        """Make it a whole JSON array."""
        self._file.write(json.dumps(_named("process_labels", 0, 0, "nonet")) + "\n]\n")
        self._file.close()
