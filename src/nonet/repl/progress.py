"""The events of a run, on their way to the terminal: small messages, the pieces of an answer gathered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from nonet.graphs.events import (
    ArtifactKept,
    AttemptFinished,
    CallFinished,
    Event,
    Notice,
    PlanReady,
    RunFinished,
    RunStarted,
    SubtaskFinished,
    SubtaskStarted,
    SubtaskText,
)
from nonet.live import event_lines, whole_of
from nonet.render import limits_line, text, usage_line
from nonet.repl.wire import Message, packed
from nonet.text import clean, one_line

_GATHER_SECONDS = 0.05
"""A terminal that is told more often than this only works more."""
_INSTRUCTION_CHARACTERS = 300


class Progress:
    """Takes the events of runs.

    Args:
        tell: takes the messages.
        plain: tell lines, for a terminal that redraws nothing.
        loaded: gives the models that are in memory.
    """

    def __init__(self, tell: Callable[[Message], None], *, plain: bool, loaded: Callable[[], list[str]] = list) -> None:
        self.run = ""
        """The run at work or that was last at work in this input; empty before it has one."""
        self._tell = tell
        self._plain = plain
        self._pieces: dict[str, list[str]] = {}
        self._due: asyncio.TimerHandle | None = None
        self._parts: Counter[str] = Counter()
        """Of a workflow's steps: items and rounds that ended."""
        self._loaded = loaded
        self._loaded_before: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.run = event.run
        if self._plain:
            for line in event_lines(event):
                self._tell({"is": "progress", "line": clean(line)})
        elif isinstance(event, SubtaskText):
            self._gather(event)
        else:
            self._flush()
            self._tell_event(event)

    def _gather(self, event: SubtaskText) -> None:
        self._pieces.setdefault(whole_of(event.subtask), []).append(event.text)
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_GATHER_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if (loaded := self._loaded()) != self._loaded_before:
            self._loaded_before = loaded
            self._tell({"is": "status", "loaded": loaded})
        pieces, self._pieces = self._pieces, {}
        for subtask, texts in pieces.items():
            self._tell({"is": "text", "subtask": subtask, "text": clean("".join(texts)), "pieces": len(texts)})

    def _tell_event(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._parts.clear()
                bounds = f", at most {limits_line(event.budget)}" if event.budget else ""
                again = ", taken up again" if event.resumed else ""
                self._tell({"is": "run", "run": event.run, "title": f"run {event.run}{again}{bounds}"})
            case PlanReady():
                rows = [
                    {
                        "id": each.id,
                        "specialist": one_line(each.specialist, 24),
                        "instruction": one_line(each.instruction, _INSTRUCTION_CHARACTERS),
                        "inputs": list(each.inputs),
                    }
                    for each in event.plan.subtasks
                ]
                self._tell({"is": "plan", "rows": rows})
            case SubtaskStarted():
                state = "working" if event.attempt == 1 else f"attempt {event.attempt}"
                model = one_line(event.model, 40)
                self._tell({"is": "row", "id": whole_of(event.subtask), "state": state, "model": model})
            case AttemptFinished():
                self._tell(
                    {"is": "row", "id": whole_of(event.subtask), "note": one_line(event.detail, 200), "tail": ""}
                )
            case SubtaskFinished() if (whole := whole_of(event.subtask)) != event.subtask:
                self._parts[whole] += 1
                self._tell({"is": "row", "id": whole, "note": f"{self._parts[whole]} done", "tail": ""})
            case SubtaskFinished():
                before = {"note": "kept from before"} if event.reused else {}
                self._tell(
                    {"is": "row", "id": event.subtask, "state": str(event.verdict), "seconds": event.seconds, **before}
                )
            case Notice():
                self._tell({"is": "lines", "lines": packed([text((f"note ({event.kind}): {event.text}", "dim"))])})
            case CallFinished():
                self._tell({"is": "usage", "said": usage_line(event.usage)})
            case RunFinished() | SubtaskText() | ArtifactKept():
                pass
