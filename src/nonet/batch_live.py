"""What a batch looks like while it works: a grid on a terminal, lines elsewhere, JSON lines for scripts, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TextIO

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nonet.batch_track import Track
from nonet.graphs.batch_events import (
    BatchEvent,
    BatchNotice,
    JobDone,
    JobFailed,
    JobReturned,
    ServerFailed,
    ServerWell,
)
from nonet.render import VERDICT_STYLES, console_for, text
from nonet.terminal import emit, is_plain, say
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.store import AtWork, Failing, Pace, QueueRecord

DRAINING = "Finishing what is in hand; Ctrl-C again stops now. Nothing is lost either way."
NOW = "Stopping now; what is in hand goes back into the queue."
_LINES_EVERY_SECONDS = 10.0
_JSON_EVERY_SECONDS = 2.0
_REFRESHES_PER_SECOND = 4
_SHOWN = 5
_BAR_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Look:
    """Queues at one moment."""

    queues: Sequence[QueueRecord]
    paces: Sequence[Pace]
    at_work: Sequence[AtWork] = ()
    failing: Sequence[Failing] = ()
    database_bytes: int = 0

    def total(self, name: str) -> int:
        """A count, over all queues."""
        return sum(getattr(queue, name) for queue in self.queues)

    @property
    def rate_per_s(self) -> float:
        return sum(pace.rate_per_s for pace in self.paces)

    @property
    def eta_s(self) -> float | None:
        """None where nothing is left, or nothing has ended lately."""
        left = self.total("delayed") + self.total("queued") + self.total("leased")
        return left / self.rate_per_s if left and self.rate_per_s else None

    def to_json(self) -> dict[str, Any]:
        """The counts, as `nonet batch status --json` has them."""
        return {
            "queued": self.total("queued") + self.total("delayed"),
            "delayed": self.total("delayed"),
            "leased": self.total("leased"),
            "done": self.total("done"),
            "dead": self.total("dead"),
            "cancelled": self.total("cancelled"),
            "rate_per_s": round(self.rate_per_s, 4),
            "eta_s": None if self.eta_s is None else round(self.eta_s, 1),
        }


def counts_line(look: Look) -> str:
    """Counts, pace and time left on one line."""
    parts = [
        f"{look.total('queued') + look.total('delayed'):,} waiting",
        f"{look.total('leased'):,} at work",
        f"{look.total('done'):,} done",
        f"{look.total('dead'):,} dead",
    ]
    if look.rate_per_s:
        parts.append(rate_words(look.rate_per_s))
    if look.eta_s is not None:
        parts.append(f"about {duration_words(look.eta_s)} left")
    return ", ".join(parts)


def rate_words(rate_per_s: float) -> str:
    """By the second, minute or hour, as is easiest to read."""
    for seconds, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if rate_per_s * seconds >= 1 or unit == "h":
            return f"{rate_per_s * seconds:,.1f}/{unit}"
    raise AssertionError


def duration_words(seconds: float) -> str:
    """Seconds, minutes or hours."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def event_line(event: BatchEvent) -> str:
    """The event in words; empty for those that are too many to tell."""
    line = ""
    match event:
        case JobDone():
            line = f"done {event.job.document}: {event.verdict}, {event.seconds:.1f} s"
        case JobFailed():
            what = "dead" if event.status == "dead" else "failed, to be tried again"
            line = f"{what} {event.job.document} (job {event.job.seq}): {event.message}"
        case JobReturned():
            line = f"returned {event.job.document}: {event.reason}"
        case ServerFailed():
            line = f"the server fails, nothing is begun until it is well: {event.reason}"
        case ServerWell():
            line = f"the server is well again after {event.seconds:.1f} s"
        case BatchNotice():
            line = f"note ({event.kind}): {event.text}"
        case _:
            pass
    return line


class QuietBatchView:
    """Shows nothing, and keeps track."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self.track = Track()
        self._look = look

    def __call__(self, event: BatchEvent) -> None:
        self.track(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def tick(self) -> None:
        """A moment has passed."""

    def tell(self, line: str) -> None:
        """Something for whoever watches."""


class PlainBatchView(QuietBatchView):
    """A line a document, and the counts now and then."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look)
        self._next = time.monotonic() + _LINES_EVERY_SECONDS

    def __call__(self, event: BatchEvent) -> None:
        super().__call__(event)
        if line := event_line(event):
            say(one_line(line))

    def tick(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINES_EVERY_SECONDS
            say(counts_line(self._look()))

    def tell(self, line: str) -> None:
        say(line)


class JsonBatchView(QuietBatchView):
    """A JSON line an event, and the counts every other second, on standard output."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look)
        self._next = time.monotonic() + _JSON_EVERY_SECONDS

    def __call__(self, event: BatchEvent) -> None:
        super().__call__(event)
        if line := event_json(event):
            emit(line)

    def tick(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _JSON_EVERY_SECONDS
            emit(progress_json("progress", self._look(), self.track))

    def tell(self, line: str) -> None:
        say(line)


def event_json(event: BatchEvent) -> dict[str, Any] | None:
    """The event as a line of `nonet batch run --json`; None for those that are not told."""
    told: dict[str, Any] | None = None
    match event:
        case JobDone():
            told = {"event": "done", **_job_json(event), "verdict": event.verdict, "seconds": round(event.seconds, 3)}
        case JobFailed():
            what = "dead" if event.status == "dead" else "failed"
            told = {"event": what, **_job_json(event), "message": event.message, "seconds": round(event.seconds, 3)}
        case JobReturned():
            told = {"event": "returned", **_job_json(event), "message": event.reason}
        case ServerFailed():
            told = {"event": "server_failed", "message": event.reason}
        case ServerWell():
            told = {"event": "server_well", "seconds": round(event.seconds, 3)}
        case BatchNotice():
            told = {"event": "note", "message": event.text}
        case _:
            pass
    return told


def _job_json(event: JobDone | JobFailed | JobReturned) -> dict[str, Any]:
    return {"queue": event.job.queue, "job": event.job.seq, "document": event.job.document}


def progress_json(event: str, look: Look, track: Track) -> dict[str, Any]:
    """Counts and costs, as a line of `nonet batch run --json`."""
    return {
        "event": event,
        **look.to_json(),
        "stages": track.stages(),
        "calls": track.calls,
        "tokens": track.tokens,
        "swaps": track.swaps,
        "seconds": round(time.monotonic() - track.started, 3),
        "joules": track.joules(),
    }


class LiveBatchView(QuietBatchView):
    """A grid that updates itself."""

    def __init__(self, look: Callable[[], Look], stream: TextIO) -> None:
        super().__init__(look)
        self._head = ""
        self._console = console_for(stream)
        self._live = Live(
            console=self._console,
            get_renderable=self.renderable,
            refresh_per_second=_REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, event: BatchEvent) -> None:
        super().__call__(event)
        if isinstance(event, BatchNotice | ServerFailed | ServerWell):
            self._console.print(text((one_line(event_line(event)), "dim")))

    def tell(self, line: str) -> None:
        self._head = line

    def renderable(self) -> RenderableType:
        """The grid; called by rich's thread."""
        look, track = self._look(), self.track
        parts: list[RenderableType] = []
        if self._head:
            parts.append(Text(one_line(self._head), style="bold"))
        if track.server:
            parts.append(text(("The server fails; waiting for it: ", "bold red"), one_line(track.server, 200)))
        ended = look.total("done") + look.total("dead")
        whole = ended + look.total("queued") + look.total("delayed") + look.total("leased")
        head = Table.grid(padding=(0, 2, 0, 0))
        head.add_row(ProgressBar(total=max(whole, 1), completed=ended, width=_BAR_WIDTH), Text(counts_line(look)))
        parts += [head, Text(self._costs(track), style="dim")]
        parts.append(self._slowest(track))
        for each in list(track.failures):
            word = "dead" if each.status == "dead" else "failed"
            what = (one_line(each.job.document, 40), "cyan")
            parts.append(text((f"{word} ", "red"), what, f" {one_line(each.message, 120)}"))
        return Group(*parts)

    def _costs(self, track: Track) -> str:
        stages = ", ".join(f"{stage} {number}" for stage, number in track.stages().items())
        parts = [f"stages: {stages}"] if stages else []
        parts += [f"{number} {verdict}" for verdict, number in track.verdicts.most_common()]
        parts += [f"{track.calls:,} calls", f"{track.tokens:,} tokens", f"{track.swaps} swaps"]
        parts.append(duration_words(time.monotonic() - track.started))
        joules = track.joules()
        if joules is not None:
            parts.append(f"{joules:,.0f} J")
        if track.slowest[0]:
            parts.append(f"slowest {track.slowest[0]:.1f} s: {one_line(track.slowest[1], 40)}")
        return " · ".join(parts)

    def _slowest(self, track: Track) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for _ in range(3):
            table.add_column(no_wrap=True, overflow="ellipsis")
        longest = sorted(track.in_hand.copy().values(), key=lambda each: each.started)[:_SHOWN]
        for each in longest:
            table.add_row(
                text((one_line(each.document, 50), "cyan")),
                Text(one_line(each.stage, 40)),
                text((f"{each.seconds:.1f} s", "dim")),
            )
        return table


def view_for(look: Callable[[], Look], *, json: bool, quiet: bool) -> QuietBatchView:
    """The view that suits who watches."""
    if json:
        return JsonBatchView(look)
    if quiet:
        return QuietBatchView(look)
    return PlainBatchView(look) if is_plain(sys.stderr) else LiveBatchView(look, sys.stderr)


def status_lines(look: Look) -> list[Text]:
    """A queue as `nonet batch status` shows it."""
    [queue] = look.queues
    usage = queue.usage
    lines = [text((one_line(queue.name), "bold"), (" (paused)", "yellow") if queue.paused else "")]
    lines.append(Text(f"  {counts_line(look)}"))
    ended = queue.done + queue.dead
    if ended:
        size = f"{look.database_bytes / 1e6:,.1f} MB of database, {look.database_bytes / ended:,.0f} bytes a document"
        lines.append(text((f"  {size}", "dim")))
    if queue.cancelled:
        lines.append(Text(f"  {queue.cancelled:,} cancelled"))
    if usage.calls:
        tokens = usage.prompt_tokens + usage.completion_tokens
        lines.append(
            text((f"  {usage.calls:,} calls, {tokens:,} tokens, {usage.swaps} swaps, {usage.seconds:,.1f} s", "dim"))
        )
    lines += [
        text("  at work ", (one_line(each.document, 50), "cyan"), f" {each.seconds:.1f} s", (f" {each.worker}", "dim"))
        for each in look.at_work
    ]
    for failure in look.failing:
        style = VERDICT_STYLES["failed"] if failure.status == "dead" else VERDICT_STYLES["unverified"]
        lines.append(
            text((f"  {failure.status} ", style), (one_line(failure.document, 50), "cyan"),
                 f" {one_line(failure.error, 120)}")
        )  # fmt: skip
    return lines
