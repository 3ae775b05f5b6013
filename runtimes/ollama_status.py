"""What one Ollama server says of itself, for people to look at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nonet.errors import CallError, ResourceError
from nonet.runtimes.ollama_errors import Call
from nonet.runtimes.ollama_facts import json_object

if TYPE_CHECKING:
    from nonet.runtimes.ollama import OllamaRuntime


@dataclass(frozen=True, slots=True)
class InMemory:
    """A model in a server's memory."""

    name: str
    size_bytes: int
    context_tokens: int
    expires_in_seconds: float | None
    """None: it does not say."""


@dataclass(frozen=True, slots=True)
class OllamaStatus:
    """How a server is; without a version it does not answer."""

    version: str | None
    answer_seconds: float = 0.0
    """How long it took to say its version."""
    loaded: tuple[InMemory, ...] = ()
    models: tuple[str, ...] = ()
    fault: str = ""
    """Why it says no more, in words."""


async def status(runtime: OllamaRuntime) -> OllamaStatus:
    """Ask a server; never raises for what it answers."""
    began = time.monotonic()
    version = await runtime.probe()
    took = time.monotonic() - began
    if version is None:
        return OllamaStatus(None, took, fault="it does not answer")
    try:
        running = json_object(Call(runtime.url), await runtime.memory()).get("models")
        models = await runtime.models()
    except (CallError, ResourceError) as error:
        return OllamaStatus(version, took, fault=error.message)
    entries = [entry for entry in running if isinstance(entry, dict)] if isinstance(running, list) else []
    return OllamaStatus(version, took, tuple(map(_in_memory, entries)), tuple(model.name for model in models))


def _in_memory(entry: dict[str, Any]) -> InMemory:
    size, context = entry.get("size"), entry.get("context_length")
    return InMemory(
        str(entry.get("name", "")),
        size if isinstance(size, int) else 0,
        context if isinstance(context, int) else 0,
        _seconds_until(entry.get("expires_at")),
    )


def _seconds_until(moment: object) -> float | None:
    """The server writes nanoseconds, which datetime does not read."""
    if not isinstance(moment, str):
        return None
    head, _, rest = moment.partition(".")
    zone = rest.lstrip("0123456789") if rest else ""
    try:
        at = datetime.fromisoformat(head + zone)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - time.time()) if at.tzinfo else None
