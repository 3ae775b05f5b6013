"""What goes to a runtime and what comes back. Frozen dataclasses: these are on the hot path of every call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    """The model ended it."""
    LENGTH = "length"
    """It ran into `max_completion_tokens` or the window: the text is cut."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One chat call. Greedy and seeded unless told otherwise, so that a run can be repeated."""

    model: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    """A JSON schema; the runtime constrains sampling to it and refuses an answer that does not obey it."""
    max_completion_tokens: int | None = None
    """None: what is left of the window."""
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    certainty: bool = False
    """Ask the runtime how sure the model is of its tokens, where it can tell."""
    think: bool | None = None
    """Whether a model that can think before it answers does. None: as it does by itself, but not under a schema."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """Wall time of the call, loading the model included."""
    load_seconds: float = 0.0
    """Of which: loading the model. Above zero means that a model was swapped in."""
    prompt_seconds: float = 0.0
    """Of `seconds`: reading the prompt, where the runtime tells."""
    generation_seconds: float = 0.0
    """Of `seconds`: writing the answer, where the runtime tells."""
    cached_tokens: int = 0
    """Of the prompt's tokens: those that were computed for an earlier call, where the runtime tells."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
            self.load_seconds + other.load_seconds,
            self.prompt_seconds + other.prompt_seconds,
            self.generation_seconds + other.generation_seconds,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class Trip:
    """What a call had of the scheduler."""

    host: str = ""
    """Which host answered; empty where none was asked."""
    origin: str = ""
    """Empty: a model was asked; "cache" or "shared": the answer was there, or was being made for another call."""
    wait_seconds: float = 0.0
    """For its turn, before the call was made."""
    pushed_out: str = ""
    """The model that made room for the call's."""
    swap_avoided: bool = False
    """It went before an older call because its model was loaded."""
    joules: float | None = None
    """Its share of what the machine used meanwhile; None where that is not known."""


@dataclass(frozen=True, slots=True)
class ChatResponse:
    """A whole answer; a runtime never returns a partial one."""

    text: str
    model: str
    finish: Finish = Finish.STOP
    usage: Usage = field(default_factory=Usage)
    thinking: str = ""
    """What a thinking model wrote before its answer."""
    certainty: float | None = None
    """The geometric mean of the probabilities of the answer's tokens, 0 to 1; None where it is not known."""
    trip: Trip = field(default_factory=Trip)
    """Set by the scheduler."""


@dataclass(frozen=True, slots=True)
class EmbedResponse:
    """One vector a text, in order, each of unit length."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = field(default_factory=Usage)
    trip: Trip = field(default_factory=Trip)
    """Set by the scheduler."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a prompt takes with the model's template around it."""

    tokens: int
    exact: bool
    """False: an upper bound, never too low."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a runtime knows of one model."""

    name: str
    context_tokens: int
    """The window the runtime serves it with, prompt and answer together (not the most the model could do)."""
    size_bytes: int = 0
    capabilities: frozenset[str] = frozenset({"chat"})
    """Of "chat" and "embed"."""
    loaded: bool = False
    version: str = ""
    """Names all that makes the model what it is, its template and parameters included, where the runtime knows it."""
    digest: str = ""
    """SHA-256 of the weights, hexadecimal, where the runtime knows it."""
    family: str = ""
    parameters: str = ""
    """As the runtime words it: "135M", "494.03M"."""
    quantization: str = ""
    most_context_tokens: int = 0
    """The most the model was made for; 0 where unknown."""
    kv_bytes_per_token: int = 0
    """What one token of context takes in its cache; 0 where unknown."""
    thinks: bool = False
    """It can write down its thoughts before it answers, as far as the runtime knows."""
