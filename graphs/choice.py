"""Which runtime serves this session: what the settings name; else Ollama if it answers; else the embedded one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nonet.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from nonet.runtimes import Runtime
    from nonet.runtimes.ollama import OllamaRuntime
    from nonet.settings import Settings

OLLAMA_SLOTS = 4
"""Calls sent to an Ollama server at once; it queues what its OLLAMA_NUM_PARALLEL does not take."""
OLLAMA_MAX_LOADED = 3
"""Ollama's own default for OLLAMA_MAX_LOADED_MODELS on a CPU."""
SCRIPTED_SLOTS = 8


@dataclass(frozen=True, slots=True)
class ChosenRuntime:
    """A runtime, why it was chosen, and what its scheduler may do."""

    runtime: Runtime
    reason: str
    slots: int
    max_loaded: int
    is_local: bool = True
    """It computes on this machine."""
    set_windows: Callable[[Mapping[str, int]], None] | None = None
    """Takes a window a model, before the first call; None: it has its own."""


async def choose_runtime(settings: Settings) -> ChosenRuntime:
    """Raises RuntimeUnavailableError when nothing named or found can serve."""
    if settings.runtime == "scripted":
        return _scripted(settings)
    if settings.runtime == "ollama":
        return _ollama(settings, _ollama_runtime(settings), "the settings name it")
    if settings.runtime == "embedded":
        return _embedded(settings, "the settings name it")
    runtime = _ollama_runtime(settings)
    version = await runtime.probe()
    if version is not None:
        return _ollama(settings, runtime, f"Ollama {version} answers")
    await runtime.aclose()
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
    return ChosenRuntime(runtime, "the settings name it", settings.slots or SCRIPTED_SLOTS, OLLAMA_MAX_LOADED)


def _ollama_runtime(settings: Settings) -> OllamaRuntime:
    from nonet.runtimes.ollama import OllamaRuntime  # noqa: PLC0415

    return OllamaRuntime(
        settings.ollama_host,
        context_tokens=settings.context_tokens,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        first_token_timeout_seconds=settings.first_token_timeout_seconds,
        stall_timeout_seconds=settings.stall_timeout_seconds,
        num_thread=settings.threads,
    )


def _ollama(settings: Settings, runtime: OllamaRuntime, reason: str) -> ChosenRuntime:
    from nonet.runtimes.ollama_host import is_loopback  # noqa: PLC0415

    slots = settings.slots or OLLAMA_SLOTS
    return ChosenRuntime(
        runtime, reason, slots, OLLAMA_MAX_LOADED, is_local=is_loopback(runtime.url), set_windows=runtime.set_windows
    )


def _embedded(settings: Settings, reason: str) -> ChosenRuntime:
    from nonet.runtimes.embedded import EmbeddedRuntime  # noqa: PLC0415

    slots = settings.slots or 1
    runtime = EmbeddedRuntime(
        context_tokens=settings.context_tokens,
        slots=slots,
        threads=settings.threads,
        memory_limit_bytes=settings.memory_limit_bytes,
        models_folder=settings.cache_path(),
    )
    return ChosenRuntime(runtime, reason, slots, OLLAMA_MAX_LOADED, set_windows=runtime.set_windows)
