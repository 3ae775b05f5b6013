"""`nonet hosts`, `nonet stats` and `nonet runs trace`: who serves the models, what calls cost, who ran when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nonet.door import Door, Flags, open_door, open_store
from nonet.errors import StoreWriteError, UsageError
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, is_plain, run_async, say, write_out
from nonet.text import to_json

if TYPE_CHECKING:
    from nonet.graphs.timeline import Span
    from nonet.runtimes.ollama_status import OllamaStatus
    from nonet.store import Account, AccountKind, HostRecord, ModelCost, Store

WATCH_SECONDS = 2.0
_GIGABYTE = 1e9
_SECONDS_AN_HOUR = 3600.0
_LONGEST_LIST = 4


@dataclass(frozen=True, slots=True)
class HostView:
    """One host, as far as it and this database tell."""

    address: str
    draining: bool
    added: bool
    """By `nonet hosts add`, not by the settings."""
    status: OllamaStatus
    tokens_per_second: float
    load_seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """For HostsOut."""
        found = asdict(self.status)
        return {
            "host": self.address,
            "state": self.state,
            "added": self.added,
            "version": found["version"],
            "answer_seconds": found["answer_seconds"],
            "fault": found["fault"],
            "loaded": list(found["loaded"]),
            "models": list(found["models"]),
            "tokens_per_second": self.tokens_per_second,
            "load_seconds": self.load_seconds,
        }

    @property
    def state(self) -> str:
        if self.status.version is None:
            return "down"
        return "draining" if self.draining else "up"


def hosts(flags: Flags, *, watch: bool, json: bool) -> int:
    """Show every host, once or again and again."""
    door = open_door(flags)
    with open_store(door) as store:
        if not watch:
            views = run_async(_look(door, store))
            if json:
                emit({"hosts": [view.to_json() for view in views]})
            else:
                print_lines(_host_lines(views))
            return 0 if any(view.status.version is not None for view in views) else 3
        return run_async(_watch(door, store, json=json))


async def _watch(door: Door, store: Store, *, json: bool) -> int:
    import sys  # noqa: PLC0415

    from rich.console import Group  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    from nonet.render import console_for  # noqa: PLC0415

    plain = json or is_plain(sys.stdout)
    live = None if plain else Live(console=console_for(sys.stdout), auto_refresh=False, screen=False)
    with live if live is not None else nullcontext():
        while True:
            views = await _look(door, store)
            if json:
                emit({"hosts": [view.to_json() for view in views]})
            elif live is None:
                print_lines(_host_lines(views))
            else:
                live.update(Group(*_host_lines(views)), refresh=True)
            await asyncio.sleep(WATCH_SECONDS)


async def _look(door: Door, store: Store) -> list[HostView]:
    from nonet.graphs.choice import known_hosts  # noqa: PLC0415
    from nonet.runtimes.ollama_status import status  # noqa: PLC0415

    by_hand = store.hosts.known()
    found = known_hosts(door.loaded.settings, by_hand)
    try:
        seen = await asyncio.gather(*(status(runtime) for _, runtime in found))
    finally:
        await asyncio.gather(*(runtime.aclose() for _, runtime in found))
    costs = store.hosts.costs()
    return [_view(host.name, each, by_hand, costs) for (host, _), each in zip(found, seen, strict=True)]


def _view(name: str, status: OllamaStatus, by_hand: Sequence[HostRecord], costs: Sequence[ModelCost]) -> HostView:
    ours = [cost for cost in costs if cost.host == name]
    record = next((each for each in by_hand if each.address == name), None)
    return HostView(
        name,
        draining=record is not None and record.draining,
        added=record is not None,
        status=status,
        tokens_per_second=round(max((cost.tokens_per_second for cost in ours), default=0.0), 2),
        load_seconds={cost.model: round(cost.load_seconds, 3) for cost in ours if cost.load_seconds},
    )


def _host_lines(views: Sequence[HostView]) -> list[Text]:
    styles = {"up": "green", "down": "red", "draining": "yellow"}
    lines = []
    for view in views:
        seen = view.status
        speed = f", {view.tokens_per_second:.1f} tokens/s" if view.tokens_per_second else ""
        about = f"  Ollama {seen.version}, {len(seen.models)} models{speed}" if seen.version else f"  {seen.fault}"
        lines.append(text((view.address, "bold"), "  ", (view.state, styles[view.state]), about))
        rows = [
            [
                model.name,
                f"{model.size_bytes / _GIGABYTE:.2f} GB",
                f"window {model.context_tokens:,}",
                _goes(model.expires_in_seconds),
                f"loads in {view.load_seconds[model.name]:.1f} s" if model.name in view.load_seconds else "",
            ]
            for model in seen.loaded
        ]
        lines += columns(rows, ("cyan", "", "", "dim", "dim"), indent="    ")
    return lines


def _goes(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return "kept for good" if seconds > 100 * _SECONDS_AN_HOUR else f"kept for {seconds / 60:.0f} min"


def change_host(action: str, address: str, flags: Flags, *, json: bool) -> int:
    """Add a host, drain it, take it back, or forget it. Sessions that are at work follow within seconds."""
    from nonet.graphs.choice import host_name  # noqa: PLC0415

    door = open_door(flags)
    name = host_name(address)
    with open_store(door, create=True) as store:
        if action == "remove":
            if not store.hosts.remove(name):
                raise UsageError(
                    f"No host {name} was added by hand.",
                    next_step="`nonet hosts list` shows them; one of the settings can be drained.",
                )
        else:
            store.hosts.add(name, draining=action == "drain")
    if json:
        emit({"host": name, "action": action})
    else:
        done = {"add": "takes calls", "drain": "gets no new calls", "remove": "is forgotten"}[action]
        say(f"{name} {done}.")
    return 0


def stats(by: AccountKind, hours: float | None, limit: int, flags: Flags, *, json: bool) -> int:
    """What calls cost, in all and by what is named."""
    since_s = time.time() - hours * _SECONDS_AN_HOUR if hours is not None else 0.0
    with open_store(open_door(flags)) as store:
        total = store.accounts.total(since_s)
        rows = store.accounts.by(by, since_s, limit)
        cache = store.responses.counts()
    if json:
        emit(
            {
                "by": by,
                "since_s": since_s,
                "total": asdict(total),
                "rows": [asdict(row) for row in rows],
                "cache": asdict(cache),
            }
        )
        return 0
    print_lines(_stats_lines(by, total, rows))
    say(f"Response cache: {cache.responses:,} answers, {cache.size_bytes / 1e6:.1f} MB, {cache.hits:,} hits.")
    return 0


def _stats_lines(by: str, total: Account, rows: Sequence[Account]) -> list[Text]:
    head = [
        by,
        "calls",
        "from cache",
        "wait s",
        "load s",
        "prompt s",
        "answer s",
        "tokens in",
        "out",
        "swaps",
        "avoided",
    ]
    known = any(row.joules is not None for row in rows)
    table = [head + ["joules"] * known]
    for row in [*rows, total]:
        again = row.from_cache + row.shared
        table.append(
            [
                row.name or ("all" if row is total else "-"),
                f"{row.calls:,}" + (f" ({row.failed} failed)" if row.failed else ""),
                f"{again:,}",
                *(f"{value:.1f}" for value in (row.wait_seconds, row.load_seconds)),
                *(f"{value:.1f}" for value in (row.prompt_seconds, row.generation_seconds)),
                f"{row.prompt_tokens:,}" + (f" ({row.cached_tokens:,} reused)" if row.cached_tokens else ""),
                *(f"{value:,}" for value in (row.completion_tokens, row.swaps, row.swaps_avoided)),
                *(["-" if row.joules is None else f"{row.joules:,.0f}"] * known),
            ]
        )
    lines = columns(table, ("cyan",), indent="")
    lines[0].stylize("bold")
    return lines


def trace(run: str | None, source: Path | None, form: str, output: Path | None, flags: Flags, *, json: bool) -> int:
    """Who ran when: a Chrome trace for Perfetto, or a picture."""
    name, spans = _spans(run, source, flags)
    if form == "svg":
        from nonet.trace_svg import to_svg  # noqa: PLC0415

        made = to_svg(spans, name)
    else:
        from nonet.graphs.trace import to_trace  # noqa: PLC0415

        made = to_json(to_trace(spans)) + "\n"
    if output is None:
        write_out(made)
        return 0
    try:
        output.write_text(made, encoding="utf-8")
    except OSError as error:
        raise StoreWriteError(f"{output} cannot be written: {error.strerror}.") from error
    if json:
        emit({"trace": name, "format": form, "path": str(output), "spans": len(spans)})
    else:
        how = "open it in a browser" if form == "svg" else "open it at ui.perfetto.dev or in chrome://tracing"
        say(f"{len(spans)} spans of {name} are in {output}: {how}.")
    return 0


def _spans(run: str | None, source: Path | None, flags: Flags) -> tuple[str, list[Span]]:
    if source is not None:
        if run is not None:
            raise UsageError("Name a run, or a file with --from, not both.")
        from nonet.graphs.trace import from_trace  # noqa: PLC0415

        return source.name, from_trace(source)
    from nonet.graphs.timeline import timeline  # noqa: PLC0415

    with open_store(open_door(flags)) as store:
        record = store.runs.get(run or "last")
    return f"run {record.id}", timeline([record])


__all__ = ["change_host", "hosts", "stats", "trace"]
