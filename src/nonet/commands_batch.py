"""`nonet batch`: filling queues, looking at them, and putting them right."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.commands_specialists import staff_of
from nonet.door import Door, Flags, open_door, open_store
from nonet.errors import UsageError
from nonet.render import columns, print_lines, text
from nonet.terminal import InterruptedByUserError, emit, out, say
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.batch_work import Work
    from nonet.settings import Settings
    from nonet.store import Added, JobRecord, QueueRecord, Store

_SECONDS_A_DAY = 86_400
_TELL_EVERY_SECONDS = 2.0
_FINISHED = ("done", "dead")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """What `nonet batch add` takes beside its inputs."""

    task: str | None = None
    workflow: str | None = None
    text_field: str = ""
    name_field: str = ""
    priority: int = 0
    delay_s: float = 0.0
    again: bool = False
    keep: bool = False
    attempts: int | None = None
    concurrency: int | None = None
    max_bytes: int | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    """How summaries are to be, by the names of SummaryOptions."""


def work_given(
    settings: Settings,
    task: str | None,
    workflow: str | None,
    *,
    keep: bool = False,
    wanted: Mapping[str, Any] | None = None,
) -> Work:
    """What is to be done with documents. Raises UsageError for a workflow that does not exist, or takes no options."""
    from nonet.graphs.batch_open import checked_work  # noqa: PLC0415
    from nonet.graphs.batch_work import Work  # noqa: PLC0415
    from nonet.specialists.summary_options import options_of  # noqa: PLC0415

    given = {key: value for key, value in (("task", task), ("workflow", workflow)) if value is not None}
    work = Work(**given, keep=keep, options=options_of(wanted or {}, prefix="--")).checked(prefix="--")
    return checked_work(work, staff_of(settings), settings.workflows)


def add(queue: str, inputs: Sequence[str], options: AddOptions, flags: Flags, *, json: bool, quiet: bool) -> int:
    """Put documents into a queue."""
    from nonet.graphs.batch_add import add_jobs  # noqa: PLC0415
    from nonet.graphs.batch_inputs import InputOptions, read_inputs  # noqa: PLC0415
    from nonet.graphs.batch_rows import RowFields  # noqa: PLC0415

    if not queue.strip():
        raise UsageError("The queue has no name.", next_step="Name it: nonet batch add QUEUE INPUT...")
    door = open_door(flags, json=json, quiet=quiet)
    work = work_given(
        door.loaded.settings, options.task, options.workflow, keep=options.keep, wanted=options.wanted
    ).to_json()
    skipped: list[tuple[str, str]] = []
    with open_store(door, create=True) as store:
        store.queues.ensure(queue, work).result()
        store.queues.configure(
            queue,
            concurrency=options.concurrency,
            max_attempts=options.attempts,
            max_bytes=options.max_bytes,
        ).result()
        reading = InputOptions(
            max_bytes=store.queues.get(queue).max_bytes,
            fields=RowFields(options.text_field, options.name_field),
            on_skip=lambda path, reason: skipped.append((path, reason)),
            stdin=None if sys.stdin is None else sys.stdin.buffer,
        )
        with _telling(door, queue) as tell:
            added = add_jobs(
                store,
                queue,
                read_inputs(inputs, reading),
                work=work,
                priority=options.priority,
                delay_s=options.delay_s,
                again=options.again,
                on_added=tell,
            )
        record = store.queues.get(queue)
    _tell_added(door, record, added, skipped)
    return 0


@contextmanager
def _telling(door: Door, queue: str) -> Iterator[Any]:
    """A line now and then; an interrupt says what is kept."""
    so_far = [0]
    told_at = [time.monotonic()]

    def tell(added: Added) -> None:
        so_far[0] = added.jobs + added.known
        if not door.quiet and time.monotonic() - told_at[0] >= _TELL_EVERY_SECONDS:
            told_at[0] = time.monotonic()
            say(f"{so_far[0]:,} documents so far")

    try:
        yield tell
    except KeyboardInterrupt:
        raise InterruptedByUserError(
            "Interrupted.",
            kept=f"At least {so_far[0]:,} documents are in {queue}.",
            next_step="Add all again: what the queue has is not added twice.",
        ) from None


def _tell_added(door: Door, queue: QueueRecord, added: Added, skipped: list[tuple[str, str]]) -> None:
    if door.json:
        emit(
            {
                "queue": queue.name,
                "added": added.jobs,
                "refused": added.refused,
                "known": added.known,
                "same": [{"document": name, "same_as": other} for name, other in added.same],
                "skipped": [{"path": path, "reason": reason} for path, reason in skipped],
                "queued": queue.queued + queue.delayed,
            }
        )
        return
    out(f"{added.jobs:,} added to {one_line(queue.name)}, {added.known:,} it had already")
    if added.refused:
        say(f"{added.refused:,} of them cannot be worked on: nonet batch list {queue.name} --status dead")
    for name, other in added.same:
        say(one_line(f"{name} is the same document as {other}"))
    for path, reason in skipped:
        say(f"skipped    {one_line(f'{path}: {reason}')}")
    if not door.quiet:
        say(f"Work on it with: nonet batch run {queue.name}{door.db_option}")


def show_all(queue: str | None, status: str | None, limit: int, flags: Flags, *, json: bool) -> int:
    """List the queues, or the jobs of one."""
    with open_store(open_door(flags)) as store:
        if queue is None:
            if status is not None:
                raise UsageError("--status goes with a queue.", next_step="nonet batch list QUEUE --status dead")
            return _list_queues(store, json=json)
        return _list_jobs(store, queue, status, limit, json=json)


def _list_queues(store: Store, *, json: bool) -> int:
    found = store.queues.queues()
    if json:
        emit({"queues": [counts(each) for each in found]})
    elif found:
        head = ["queue", "waiting", "at work", "done", "dead", ""]
        rows = [
            [
                each.name,
                *(f"{number:,}" for number in (each.queued + each.delayed, each.leased, each.done, each.dead)),
                "paused" if each.paused else "",
            ]
            for each in found
        ]
        print_lines(columns([head, *rows], ("bold", "", "", "", "", "yellow"), indent=""))
    else:
        say("There are no queues yet. Make one with: nonet batch add QUEUE INPUT...")
    return 0


def counts(queue: QueueRecord) -> dict[str, Any]:
    """A queue's counts, as JSON has them."""
    return {
        "queue": queue.name,
        "queued": queue.queued + queue.delayed,
        "delayed": queue.delayed,
        "leased": queue.leased,
        "done": queue.done,
        "dead": queue.dead,
        "cancelled": queue.cancelled,
        "paused": queue.paused,
    }


def _list_jobs(store: Store, queue: str, status: str | None, limit: int, *, json: bool) -> int:
    from itertools import islice  # noqa: PLC0415

    from nonet.store import JobStatus  # noqa: PLC0415

    known = [str(each) for each in JobStatus]
    if status is not None and status not in known:
        raise UsageError(f"There is no status {status!r}.", next_step=f"There are: {', '.join(known)}.")
    wanted = tuple(JobStatus) if status is None else (JobStatus(status),)
    found = list(islice(store.queues.jobs(queue, wanted), limit))
    if json:
        emit({"jobs": [_brief(each) for each in found]})
    elif found:
        rows = [
            [
                str(each.seq), str(each.status), each.verdict or "-", str(each.attempts), one_line(each.document, 60),
                one_line(each.errors[-1].message, 80) if each.errors and each.status != "done" else "",
            ]
            for each in found
        ]  # fmt: skip
        print_lines(columns(rows, ("bold", "", "", "dim", "cyan", "red"), indent=""))
    else:
        say("There are no such jobs.")
    return 0


def _brief(job: JobRecord) -> dict[str, Any]:
    return {
        "job": job.seq,
        "document": job.document,
        "status": str(job.status),
        "verdict": job.verdict or None,
        "attempts": job.attempts,
        "error": job.errors[-1].message if job.errors and job.status != "done" else None,
    }


def show_one(number: int, flags: Flags, *, json: bool) -> int:
    """All of one job."""
    with open_store(open_door(flags)) as store:
        job = store.queues.job(number)
    if json:
        fields = asdict(job)
        emit(
            {
                **_brief(job),
                **{
                    key: fields[key]
                    for key in (
                        "queue", "path", "size_bytes", "priority", "crashes", "run", "worker", "output", "ready_at_s",
                        "added_at_s", "started_at_s", "finished_at_s",
                    )
                },
                "work": loads(job.work),
                "detail": loads(job.detail),
                "errors": fields["errors"],
            }
        )  # fmt: skip
        return 0
    lines = [
        text((f"Job {job.seq}", "bold"), f" of {one_line(job.queue)}: ", (one_line(job.document), "cyan")),
        text(
            f"{job.status}",
            f", {job.verdict}" if job.verdict else "",
            f", {job.attempts} {'try' if job.attempts == 1 else 'tries'}",
        ),
    ]
    if job.worker:
        lines.append(text(f"at work in {one_line(job.worker)}"))
    if job.output:
        lines += [text(), text(job.output)]
    for check in loads(job.detail).get("subtasks", ()):
        for item in check.get("evidence", ()):
            word = {True: "passed", False: "failed", None: "not made"}[item["passed"]]
            lines.append(text(f"  {check['id']} {word}: {one_line(item['kind'])}: {one_line(item['detail'])}"))
    if job.errors:
        lines += [text(), text(("Errors", "bold"))]
        lines += columns(
            [[f"try {each.attempt}" if each.attempt else "-", each.kind, each.message] for each in job.errors]
        )
    print_lines(lines)
    return 0


def retry(queue: str, jobs: Sequence[int] | None, flags: Flags, *, json: bool) -> int:
    """Give dead documents their tries anew."""
    door = open_door(flags)
    with open_store(door) as store:
        number = store.queues.retry(queue, jobs or None)
    return _changed(queue, number, "waiting again", door, json=json)


def cancel(queue: str, jobs: Sequence[int] | None, flags: Flags, *, json: bool) -> int:
    """Take unfinished documents out."""
    door = open_door(flags)
    with open_store(door) as store:
        number = store.queues.cancel(queue, jobs or None)
    return _changed(queue, number, "cancelled", door, json=json)


def _changed(queue: str, number: int, what: str, door: Door, *, json: bool) -> int:
    if json:
        emit({"queue": queue, "jobs": number})
    else:
        out(f"{number:,} {'document' if number == 1 else 'documents'} {what}")
        if number and what == "waiting again":
            say(f"Work on it with: nonet batch run {queue}{door.db_option}")
    return 0


def pause(queue: str, flags: Flags, *, paused: bool, json: bool) -> int:
    """Pause a queue, or go on with it."""
    with open_store(open_door(flags)) as store:
        store.queues.configure(queue, paused=paused).result()
        record = store.queues.get(queue)
    if json:
        emit(counts(record))
    else:
        out(f"{one_line(queue)} is {'paused' if paused else 'open'}: {record.queued + record.delayed:,} waiting")
    return 0


def export(queue: str, form: str, output: Path | None, flags: Flags, *, everything: bool, json: bool) -> int:
    """Write the results."""
    from nonet.batch_export import export as write  # noqa: PLC0415
    from nonet.store import JobStatus  # noqa: PLC0415

    wanted = tuple(JobStatus) if everything else tuple(JobStatus(name) for name in _FINISHED)
    with open_store(open_door(flags)) as store:
        number = write(store.queues.jobs(queue, wanted), form, output)
        left = store.queues.get(queue).unfinished
    if output is not None and json:
        emit({"queue": queue, "documents": number, "path": str(output), "unfinished": left})
    elif output is not None:
        out(f"{number:,} documents in {one_line(str(output))}")
    if left and not everything and not json:
        say(f"{left:,} are not finished yet, and are not in it.")
    return 0


def purge(queue: str, older_than_days: float | None, flags: Flags, *, vacuum: bool, json: bool) -> int:
    """Remove finished documents, or the whole queue."""
    seconds = None if older_than_days is None else older_than_days * _SECONDS_A_DAY
    with open_store(open_door(flags)) as store:
        number, freed = store.queues.purge(queue, older_than_seconds=seconds)
        if vacuum:
            freed += store.vacuum()
    if json:
        emit({"queue": queue, "jobs": number, "freed_bytes": freed})
    else:
        out(f"{number:,} documents removed; {freed / 1e6:.1f} MB freed")
    return 0
