"""Which runtime serves this session: what the settings name; else Ollama if it answers; else the embedded one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nonet.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from nonet.runtimes import Runtime
    from nonet.runtimes.ollama import OllamaRuntime
    from nonet.settings import Settings
    from nonet.store import HostRecord

OLLAMA_SLOTS = 4
"""Calls that an Ollama server is thought to compute at once until it was seen (runtimes.parallel)."""
OLLAMA_MAX_LOADED = 3
"""Ollama's own default for OLLAMA_MAX_LOADED_MODELS on a CPU."""
EMBEDDED_MAX_LOADED = 2
"""A chat model and the embedding model: another one takes up to 300 MB beside its weights, and a second to load."""
SCRIPTED_SLOTS = 8


@dataclass(frozen=True, slots=True)
class ChosenHost:
    """One host of the runtime, and what the scheduler may do with it."""

    name: str
    runtime: Runtime
    slots: int
    max_loaded: int
    ahead: int = 0
    """Calls that may wait at the server beside those in its slots."""
    finds_slots: bool = False
    """Nobody said how many slots it has."""
    shared: bool = False
    """Other processes of this machine may use it."""


@dataclass(frozen=True, slots=True)
class ChosenRuntime:
    """A runtime, why it was chosen, and its hosts."""

    runtime: Runtime
    reason: str
    hosts: tuple[ChosenHost, ...]
    is_local: bool = True
    """It computes on this machine."""
    set_windows: Callable[[Mapping[str, int]], None] | None = None
    """Takes a window a model, before the first call; None: it has its own."""


async def choose_runtime(settings: Settings) -> ChosenRuntime:
    """Raises RuntimeUnavailableError when nothing named or found can serve."""
    if settings.runtime == "scripted":
        return _scripted(settings)
    if settings.runtime == "ollama":
        return _ollama(_ollama_hosts(settings), "the settings name it")
    if settings.runtime == "embedded":
        return _embedded(settings, "the settings name it")
    hosts = _ollama_hosts(settings)
    versions = await asyncio.gather(*(runtime.probe() for _, runtime in hosts))
    version = next((version for version in versions if version is not None), None)
    if version is not None:
        return _ollama(hosts, f"Ollama {version} answers")
    await asyncio.gather(*(runtime.aclose() for _, runtime in hosts))
    if embedded_is_installed():
        return _embedded(settings, "no Ollama server answers, so models run in this process")
    raise RuntimeUnavailableError(
        "No Ollama server answers and the embedded runtime is not installed.",
        next_step="Start Ollama with `ollama serve`, or install the embedded runtime: `pip install 'nonet[embedded]'`.",
    )


def embedded_is_installed() -> bool:
    """True when the `embedded` extra is there; imports nothing."""
    return find_spec("xllamacpp") is not None


def _scripted(settings: Settings) -> ChosenRuntime:
    from nonet.runtimes.scripted import ScriptedRuntime  # noqa: PLC0415  each runtime is imported when it is chosen

    runtime = ScriptedRuntime(context_tokens=settings.context_tokens)
    room = settings.max_loaded_models or OLLAMA_MAX_LOADED
    return _alone(runtime, "the settings name it", settings.slots or SCRIPTED_SLOTS, room)


def _alone(runtime: Runtime, reason: str, slots: int, room: int) -> ChosenRuntime:
    """A runtime in this process."""
    host = ChosenHost(runtime.name, runtime, slots, room)
    return ChosenRuntime(runtime, reason, (host,))


def ollama_host(settings: Settings, address: str | None) -> tuple[ChosenHost, OllamaRuntime]:
    """One Ollama server, not asked anything yet. Raises SettingsError for an address that cannot be read."""
    from nonet.runtimes.ollama import OllamaRuntime  # noqa: PLC0415
    from nonet.runtimes.ollama_host import is_loopback  # noqa: PLC0415
    from nonet.runtimes.servers import ahead_of  # noqa: PLC0415

    runtime = OllamaRuntime(
        address,
        context_tokens=settings.context_tokens,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        first_token_timeout_seconds=settings.first_token_timeout_seconds,
        stall_timeout_seconds=settings.stall_timeout_seconds,
        num_thread=settings.threads,
    )
    # The server's own variables mean this machine's server only.
    here = is_loopback(runtime.url)
    said_slots = settings.slots or (_variable("OLLAMA_NUM_PARALLEL") if here else None)
    said_room = settings.max_loaded_models or (_variable("OLLAMA_MAX_LOADED_MODELS") if here else None)
    slots = said_slots or OLLAMA_SLOTS
    host = ChosenHost(
        runtime.url.removeprefix("http://"),
        runtime,
        slots,
        said_room or OLLAMA_MAX_LOADED,
        ahead=ahead_of(slots),
        finds_slots=said_slots is None,
        shared=True,
    )
    return host, runtime


def host_name(address: str) -> str:
    """What a server is called, however its address is written. Raises SettingsError."""
    from nonet.runtimes.ollama_host import server_url  # noqa: PLC0415

    return server_url(address).removeprefix("http://")


def known_hosts(settings: Settings, by_hand: Sequence[HostRecord]) -> list[tuple[ChosenHost, OllamaRuntime]]:
    """Every server of the settings and those that were added by hand, not asked anything yet."""
    addresses = [*settings.ollama_addresses(), *(record.address for record in by_hand)]
    return _each_once(settings, addresses)


def _variable(name: str) -> int | None:
    value = os.environ.get(name, "").strip()
    return int(value) if value.isdecimal() and int(value) else None


def _ollama_hosts(settings: Settings) -> list[tuple[ChosenHost, OllamaRuntime]]:
    return _each_once(settings, settings.ollama_addresses())


def _each_once(settings: Settings, addresses: Sequence[str | None]) -> list[tuple[ChosenHost, OllamaRuntime]]:
    """Every server once, however its address is written."""
    hosts: dict[str, tuple[ChosenHost, OllamaRuntime]] = {}
    for address in addresses:
        host, runtime = ollama_host(settings, address)
        hosts.setdefault(host.name, (host, runtime))
    return list(hosts.values())


def _ollama(hosts: list[tuple[ChosenHost, OllamaRuntime]], reason: str) -> ChosenRuntime:
    from nonet.runtimes.ollama_host import is_loopback  # noqa: PLC0415
    from nonet.runtimes.pool import RuntimePool  # noqa: PLC0415

    members = {host.name: runtime for host, runtime in hosts}
    runtime = RuntimePool(members) if len(members) > 1 else hosts[0][1]

    def set_windows(windows: Mapping[str, int]) -> None:
        for member in members.values():
            member.set_windows(windows)

    is_local = all(is_loopback(member.url) for member in members.values())
    return ChosenRuntime(runtime, reason, tuple(host for host, _ in hosts), is_local=is_local, set_windows=set_windows)


def _embedded(settings: Settings, reason: str) -> ChosenRuntime:
    from nonet.runtimes.embedded import EmbeddedRuntime  # noqa: PLC0415

    slots = settings.slots or 1
    room = settings.max_loaded_models or (OLLAMA_MAX_LOADED if settings.memory_limit_bytes else EMBEDDED_MAX_LOADED)
    runtime = EmbeddedRuntime(
        context_tokens=settings.context_tokens,
        slots=slots,
        threads=settings.threads,
        memory_limit_bytes=settings.memory_limit_bytes,
        most_loaded=max(1, room - 1),
        models_folder=settings.cache_path(),
        reuse_prompts=settings.reuse_prompts,
    )
    return replace(_alone(runtime, reason, slots, room), set_windows=runtime.set_windows)
