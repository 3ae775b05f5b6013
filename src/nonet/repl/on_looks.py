"""Looking: why an answer may be believed, what is there, what it all cost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nonet.commands_models import listing, listing_lines, needed, pull_models
from nonet.errors import UsageError
from nonet.graphs.records import result_of_run
from nonet.graphs.scope import scope_of
from nonet.reasons import reason_lines, with_links
from nonet.render import columns, text
from nonet.repl.on_runs import named
from nonet.repl.pastes import opened
from nonet.store import Filter
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.repl.desk import Desk

_HITS = 5
_HIT_CHARACTERS = 300
_LISTED = 50


async def why(desk: Desk, words: str) -> None:
    """The evidence of the last answer, or of a run's."""
    record = named(desk, words)
    result = result_of_run(record)
    lines = reason_lines(record, result)
    desk.engine.show(with_links(desk.store, lines, [each.document for each in result.citations]))


async def specialists(desk: Desk, _words: str) -> None:
    """Who works here, on which models."""
    session = await desk.session()
    rows = [
        [
            name,
            session.staff.origins.get(name, ""),
            ", ".join(session.ladders.get(name, ())) or "-",
            specialist.description,
        ]
        for name, specialist in sorted(session.specialists.items())
    ]
    lines = columns(rows, ("cyan", "dim", "dim", ""), indent="")
    desk.engine.show([*lines, *(text((f"Warning: {each.told()}", "yellow")) for each in session.staff.problems)])


async def models(desk: Desk, words: str) -> None:
    """What models there are; `pull NAME` fetches one."""
    verb, _, rest = words.partition(" ")
    if verb == "pull":
        names = rest.split() or list(needed(desk.door.loaded.settings))
        desk.engine.tell({"is": "run", "run": "", "title": f"fetching {one_line(', '.join(names), 60)}"})

        def show(done: int, total: int, name: str) -> None:
            said = f"{one_line(name, 40)} {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            desk.engine.tell({"is": "usage", "said": said})

        await pull_models(desk.door, names, show)
        await desk.refresh()
        desk.engine.show([text(f"ready  {name}") for name in names])
    elif words:
        raise UsageError("/models lists them; /models pull NAME fetches one.")
    else:
        desk.engine.show(listing_lines(await listing(desk.door)))


async def docs(desk: Desk, words: str) -> None:
    """The documents: list, add, search, remove."""
    verb, _, rest = words.partition(" ")
    rest = rest.strip()
    desk.documents_changed()
    scope = scope_of(desk.door.loaded.settings)
    if not words:
        found = desk.store.documents.list(Filter(collection=scope.collection))[:_LISTED]
        rows = [[each.name, f"{each.characters:,} characters", each.path] for each in found]
        desk.engine.show(
            columns(rows, ("cyan", "", "dim"), indent="") or [text("No documents. /docs add PATH adds some.")]
        )
    elif verb == "add" and rest:
        await _add(desk, rest)
    elif verb == "search" and rest:
        for hit in desk.store.documents.search(rest, _HITS, where=scope):
            place = f" [{hit.start}-{hit.end}]  {hit.score:.3f}"
            desk.engine.show(
                [text((hit.document, "cyan"), (place, "dim")), text(f"  {one_line(hit.text, _HIT_CHARACTERS)}")]
            )
    elif verb == "remove" and rest:
        name = desk.store.documents.resolve(rest)
        desk.store.documents.remove(name)
        desk.engine.show([text(f"removed  {one_line(name)}")])
    else:
        raise UsageError("/docs, /docs add PATH..., /docs search WORDS, /docs remove NAME.")


async def _add(desk: Desk, words: str) -> None:
    import asyncio  # noqa: PLC0415
    import shlex  # noqa: PLC0415

    from nonet.graphs.documents import add_documents  # noqa: PLC0415

    try:
        paths = [opened(word) for word in shlex.split(words)]
    except ValueError as error:
        raise UsageError(f"The paths cannot be read: {error}.") from error
    collection = scope_of(desk.door.loaded.settings).collection or ""
    report = await asyncio.to_thread(add_documents, desk.store, paths, collection=collection)
    rows = [[what, name] for what in ("added", "replaced", "unchanged", "removed") for name in getattr(report, what)]
    rows += [["duplicate", f"{path}: the same bytes as {name}"] for path, name in report.duplicates]
    rows += [["skipped", f"{path}: {reason}"] for path, reason in report.skipped]
    rows += [["note", f"{path}: {note}"] for path, note in report.notes]
    rows += [["failed", f"{failed.reason} {failed.next_step}".strip()] for failed in report.failed]
    desk.engine.show(columns(rows, ("", "cyan"), indent=""))


async def memory(desk: Desk, _words: str) -> None:
    """What this session remembers."""
    kept = (await desk.talk()).memory
    rows = [[each.name, each.kind, each.verdict, each.about] for each in kept.artifacts]
    rows += [[each.source, each.kind, "", each.text] for each in kept.facts]
    desk.engine.show(columns(rows, ("cyan", "", "", "dim"), indent="") or [text("Nothing yet.")])


async def sessions(desk: Desk, _words: str) -> None:
    """The sessions of this database, the last used first."""
    from nonet.commands_runs import when  # noqa: PLC0415

    rows = [
        [each.id, each.name or "-", when(each.created_at_s), f"{each.runs} run{'s' if each.runs != 1 else ''}"]
        for each in desk.store.sessions.list()
    ]
    desk.engine.show(columns(rows, ("bold", "cyan", "dim"), indent=""))


async def stats(desk: Desk, _words: str) -> None:
    """What this session did, and what it cost."""
    found = [desk.store.runs.get(run) for run in desk.store.sessions.runs(desk.record.id)]
    usages = [result_of_run(record).usage for record in found]
    calls = [call for record in found for call in record.calls if not call.error]
    busy = sum(call.seconds - call.load_seconds for call in calls)
    written = sum(call.completion_tokens for call in calls)
    verdicts = Counter(record.verdict or record.status for record in found)
    models = Counter(call.model for call in calls)
    rows = [
        ["runs", str(len(found)), ", ".join(f"{count} {name}" for name, count in verdicts.most_common())],
        [
            "calls",
            str(sum(each.calls for each in usages)),
            ", ".join(f"{n} {name}" for name, n in models.most_common()),
        ],
        ["tokens", f"{sum(each.prompt_tokens + each.completion_tokens for each in usages):,}", f"{written:,} written"],
        [
            "seconds",
            f"{sum(each.seconds for each in usages):,.1f}",
            f"{written / busy:,.1f} tokens/s" if busy > 0 else "",
        ],
        ["swaps", str(sum(each.swaps for each in usages)), ""],
        ["escalations", str(sum(each.escalations for each in usages)), ""],
    ]
    desk.engine.show(columns(rows, ("cyan", "bold", "dim"), indent=""))
