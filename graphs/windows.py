"""The window each model is served with, chosen once: from the model, the machine's memory and the measured speed.

Once, because another window makes an Ollama server load the model again (1 to 5 seconds).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nonet.runtimes.machine import memory_bytes

if TYPE_CHECKING:
    from nonet.runtimes import ModelInfo
    from nonet.settings import Settings
    from nonet.store import Store

USUAL_TOKENS: Final = 4096
SIZES_TOKENS: Final = (8192, USUAL_TOKENS, 2048, 1024)
_MEMORY_SHARE: Final = 0.6
"""Of the machine's memory, what models may take, as in the embedded runtime."""
_LOADED_AT_ONCE: Final = 3
_READ_OF_TIMEOUT: Final = 0.5
"""Of the first-token time-out, what reading a full window may take."""
_READ_WHERE_FAST_SECONDS: Final = 20.0
"""A window above the usual one must be read in this time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured of how a model reads."""

    tokens_per_second: float = 0.0
    """0: not known."""
    refused_tokens: int = 0
    """A prompt of so many did not fit, whatever the window was said to be; 0: none was seen."""


def choose_windows(
    settings: Settings,
    models: Sequence[ModelInfo],
    measured: Mapping[str, Reading],
    *,
    memory: int | None = None,
) -> dict[str, int]:
    """Tokens by model, of every model that chats. With `context_tokens` set, that, for all of them.

    Args:
        models: as the runtime describes them.
        measured: how each model reads, by name, where `nonet doctor` has seen it.
        memory: bytes that models and their caches may be in; None: of this machine. 0: unknown, so no bound.
    """
    chat = [model for model in models if "chat" in model.capabilities]
    if "context_tokens" in settings.model_fields_set:
        return {model.name: settings.context_tokens for model in chat}
    total = memory_bytes() if memory is None else memory
    share = (settings.memory_limit_bytes or total * _MEMORY_SHARE) / min(_LOADED_AT_ONCE, max(1, len(chat)))
    patience = settings.first_token_timeout_seconds * _READ_OF_TIMEOUT
    unknown = Reading()
    return {model.name: _window(model, share, measured.get(model.name, unknown), patience) for model in chat}


def _window(model: ModelInfo, share: float, reading: Reading, patience_seconds: float) -> int:
    speed = reading.tokens_per_second
    for tokens in SIZES_TOKENS:
        if reading.refused_tokens and tokens >= reading.refused_tokens:
            continue
        if tokens > USUAL_TOKENS and not (speed and tokens <= speed * _READ_WHERE_FAST_SECONDS):
            continue
        if model.most_context_tokens and tokens > max(model.most_context_tokens, SIZES_TOKENS[-1]):
            continue
        fits = not share or model.size_bytes + tokens * model.kv_bytes_per_token <= share
        if fits and (not speed or tokens <= speed * patience_seconds):
            return tokens
    return SIZES_TOKENS[-1]


def readings(store: Store, runtime: str, models: Sequence[ModelInfo]) -> dict[str, Reading]:
    """How each model reads, from profiles of these very weights (`nonet doctor`)."""
    digests = {model.name: model.digest for model in models}
    found = {}
    for kept in store.models.profiles(runtime):
        if digests.get(kept.model) == kept.digest:
            profile = json.loads(kept.profile_json)
            speed = float(profile.get("prompt_tokens_per_second", 0.0))
            found[kept.model] = Reading(speed, int(profile.get("context_refused_tokens", 0)))
    return found
