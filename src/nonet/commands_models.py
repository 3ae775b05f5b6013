"""`nonet models`: what is there, and fetching more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nonet.door import Door, Flags, open_door
from nonet.errors import ModelNotFoundError
from nonet.progress import OnCount, counter
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, out, run_async

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.runtimes import ModelInfo
    from nonet.runtimes.download import PullProgress
    from nonet.settings import Settings

_PLAIN_STAGES = ("downloading", "part", "unpacking", "copying", "done")
"""Stages that a bar of bytes tells well enough."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a runtime has, and what could be fetched for it."""

    runtime: str
    reason: str
    models: tuple[ModelInfo, ...]
    available: tuple[dict[str, Any], ...]


def show_all(flags: Flags, *, json: bool) -> int:
    """List the models that are there, and those that could be fetched."""
    found = run_async(listing(open_door(flags)))
    if json:
        emit(
            {
                "runtime": found.runtime,
                "models": [_fields(model) for model in found.models],
                "available": list(found.available),
            }
        )
        return 0
    print_lines(listing_lines(found))
    return 0


async def listing(door: Door) -> Listing:
    """What the runtime of the settings has. Raises RuntimeUnavailableError."""
    from nonet.graphs.choice import choose_runtime  # noqa: PLC0415
    from nonet.runtimes.catalog import ENTRIES  # noqa: PLC0415

    chosen = await choose_runtime(door.loaded.settings)
    try:
        there = await chosen.runtime.models()
    finally:
        await chosen.runtime.aclose()
    names = {model.name for model in there}
    available = tuple(
        {"name": entry.name, "size_bytes": entry.size_bytes, "use": entry.purpose}
        for entry in ENTRIES
        if entry.name not in names and chosen.runtime.name != "scripted"
    )
    return Listing(chosen.runtime.name, chosen.reason, there, available)


def _fields(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "context_tokens": model.context_tokens,
        "size_bytes": model.size_bytes,
        "capabilities": sorted(model.capabilities),
        "loaded": model.loaded,
        "digest": model.digest,
        "family": model.family,
        "parameters": model.parameters,
        "quantization": model.quantization,
    }


def listing_lines(found: Listing) -> list[Text]:
    """What there is, and what could be fetched."""
    lines = [text((f"{found.runtime} runtime", "bold"), f" ({found.reason})")]
    rows = [
        [
            model.name,
            _size(model.size_bytes),
            f"{model.context_tokens:,} tokens",
            ", ".join(sorted(model.capabilities)),
            "loaded" if model.loaded else "",
        ]
        for model in found.models
    ]
    lines += columns(rows, ("cyan",)) if rows else [text("  no models")]
    if found.available:
        lines += [text(("Can be fetched with nonet models pull", "bold"))]
        lines += columns(
            [[each["name"], _size(each["size_bytes"]), each["use"]] for each in found.available], ("cyan",)
        )
    return lines


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB" if size_bytes else "-"


def pull(names: Sequence[str], flags: Flags, *, json: bool, quiet: bool) -> int:
    """Fetch models for the runtime that would be chosen."""
    door = open_door(flags, json=json, quiet=quiet)
    wanted = tuple(names) or needed(door.loaded.settings)
    runtime = run_async(pull_models(door, wanted))
    if json:
        emit({"runtime": runtime, "pulled": list(wanted)})
    else:
        for name in wanted:
            out(f"ready  {name}")
    return 0


def needed(settings: Settings) -> tuple[str, ...]:
    """The models a session of these settings wants: the first rung of each ladder, and the embedder."""
    from nonet.graphs.ladders import DEFAULT_EMBEDDER, DEFAULT_LADDERS, SMALLEST  # noqa: PLC0415

    embedder = settings.embed_model or DEFAULT_EMBEDDER
    if settings.model:
        return settings.model, embedder
    if settings.light:
        return SMALLEST, embedder
    ladders = {**DEFAULT_LADDERS, **settings.models}
    return (*sorted({ladder[0] for ladder in ladders.values()}), embedder)


async def pull_models(door: Door, names: Sequence[str], on_count: OnCount | None = None) -> str:
    """Fetch the models; those that are there are checked, not fetched.

    Args:
        door: with the settings.
        names: of the models.
        on_count: told of the bytes; without it they are shown on standard error.

    Returns:
        The runtime they were fetched for.

    Raises:
        ModelNotFoundError: the runtime has no such model to fetch.
        ModelDownloadError: one could not be fetched; those before it are there.
    """
    from nonet.graphs.choice import choose_runtime  # noqa: PLC0415

    settings = door.loaded.settings
    chosen = await choose_runtime(settings)
    try:
        with counter("Fetching", quiet=door.quiet or on_count is not None, unit="bytes") as shown:
            progress = on_count or shown
            for name in names:
                if chosen.runtime.name == "ollama":
                    await _pull_from_ollama(settings, name, progress)
                elif chosen.runtime.name == "embedded":
                    await _pull_embedded(settings, name, progress)
                else:
                    raise ModelNotFoundError(
                        f"The {chosen.runtime.name} runtime fetches no models.",
                        next_step="Name another with --runtime ollama or --runtime embedded.",
                    )
    finally:
        await chosen.runtime.aclose()
    return chosen.runtime.name


async def _pull_embedded(settings: Settings, name: str, progress: OnCount) -> None:
    from nonet.runtimes.download import pull as download  # noqa: PLC0415

    def show(now: PullProgress) -> None:
        label = now.model if now.stage.startswith(_PLAIN_STAGES) else f"{now.model} ({now.stage})"
        progress(now.done_bytes, now.total_bytes, label)

    await download(name, folder=settings.cache_dir, on_progress=show)


async def _pull_from_ollama(settings: Settings, name: str, progress: OnCount) -> None:
    from nonet.runtimes.ollama import OllamaRuntime  # noqa: PLC0415

    def show(_stage: str, done: int, total: int) -> None:
        progress(done, total, name)

    for address in settings.ollama_addresses():
        server = OllamaRuntime(address, connect_timeout_seconds=settings.connect_timeout_seconds)
        try:
            await server.pull(name, show)
        finally:
            await server.aclose()
