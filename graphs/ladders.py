"""Which models a specialist tries, smallest first, given what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nonet.errors import ModelNotFoundError

if TYPE_CHECKING:
    from nonet.runtimes import ModelInfo
    from nonet.settings import Settings

Ladders = Mapping[str, tuple[str, ...]]

CODER = ("qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b")
SMALLEST = "smollm2:135m"
DEFAULT_LADDERS: Ladders = {
    "code": CODER,
    "retrieval": CODER,
    "summarization": (SMALLEST, *CODER),
    "general": CODER,
}
"""What the embedded catalog carries, under the names Ollama gives the same weights."""
DEFAULT_EMBEDDER = "all-minilm:l6-v2"


def choose_ladders(
    settings: Settings,
    models: Sequence[ModelInfo],
    specialists: Sequence[str],
    runtime: str,
    brought: Ladders | None = None,
    *,
    may_be_empty: bool = False,
) -> dict[str, tuple[str, ...]]:
    """A ladder a specialist: the settings' own, else the defaults that are installed, else what is installed by size.

    Args:
        brought: the models that specialists of the user's name themselves; they are the defaults of those.
        may_be_empty: where nothing that can chat is installed, every ladder is empty, and nothing is raised.

    Raises:
        ModelNotFoundError: a model the settings name is missing, or nothing that can chat is installed.
    """
    chat = sorted((model for model in models if "chat" in model.capabilities), key=lambda model: model.size_bytes)
    installed = {name for model in chat for name in _names(model.name)}
    by_size = tuple(model.name for model in chat)
    ladders: dict[str, tuple[str, ...]] = {}
    for specialist in specialists:
        named = _named(settings, specialist)
        if named:
            missing = [name for name in named if name not in installed and not _is_path(name)]
            if missing:
                raise _missing(missing[0], runtime, by_size)
            ladders[specialist] = named
            continue
        wanted = wanted_ladder(settings, specialist, brought or {})
        found = tuple(name for name in wanted if name in installed) or by_size
        if not found and not may_be_empty:
            raise _missing(wanted[0], runtime, by_size)
        ladders[specialist] = found
    return ladders


def wanted_ladder(settings: Settings, specialist: str, brought: Ladders) -> tuple[str, ...]:
    """What it would try were all installed: the settings' own ladder, else the one it brings, else the usual."""
    if named := _named(settings, specialist):
        return named
    return (SMALLEST,) if settings.light else {**DEFAULT_LADDERS, **brought}.get(specialist, CODER)


def not_installed(ladders: Ladders, brought: Ladders) -> dict[str, tuple[str, ...]]:
    """By specialist, the models that it names itself and that are not on its ladder."""
    lacking = {name: tuple(each for each in models if each not in ladders[name]) for name, models in brought.items()}
    return {name: models for name, models in lacking.items() if models}


def choose_embedder(settings: Settings, models: Sequence[ModelInfo]) -> str | None:
    """The embedding model: the settings' own, else the default if it is installed, else any that embeds."""
    embedders = {name: model.name for model in models if "embed" in model.capabilities for name in _names(model.name)}
    if settings.embed_model:
        if settings.embed_model not in embedders:
            raise ModelNotFoundError(
                f"The embedding model {settings.embed_model!r} is not installed.",
                next_step=f"Fetch it with `nonet models pull {settings.embed_model}`, or leave embed_model unset.",
            )
        return settings.embed_model
    return embedders.get(DEFAULT_EMBEDDER) or next(iter(embedders.values()), None)


def _named(settings: Settings, specialist: str) -> tuple[str, ...]:
    if settings.model:
        return (settings.model,)
    return tuple(settings.models.get(specialist, ()))


def _names(name: str) -> tuple[str, ...]:
    """Ollama takes "llama3" for "llama3:latest"."""
    return (name, name.removesuffix(":latest"))


def _is_path(name: str) -> bool:
    return name.endswith(".gguf")


def _missing(model: str, runtime: str, installed: Sequence[str]) -> ModelNotFoundError:
    there = f" Installed: {', '.join(installed)}." if installed else " No model that can chat is installed."
    return ModelNotFoundError(
        f"The {runtime} runtime does not have the model {model!r}.{there}",
        next_step=f"Fetch it with `nonet models pull {model}`"
        + (f" or `ollama pull {model}`." if runtime == "ollama" else "."),
    )
