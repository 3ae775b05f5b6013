"""What `nonet hosts` and `nonet stats` print with --json."""

from __future__ import annotations

from typing import Literal

from nonet.schema_base import Output


class MemoryOut(Output):
    """A model in a host's memory."""

    name: str
    size_bytes: int
    context_tokens: int
    expires_in_seconds: float | None
    """null: the host does not say."""


class HostOut(Output):
    """An Ollama server."""

    host: str
    state: Literal["up", "down", "draining"]
    added: bool
    """By hand; false: it is one of the settings."""
    version: str | None
    answer_seconds: float
    fault: str
    """Why it says no more; empty where it does."""
    loaded: list[MemoryOut]
    models: list[str]
    """What it has."""
    tokens_per_second: float
    """Of answers, as earlier calls showed; 0: not known."""
    load_seconds: dict[str, float]
    """By model, as earlier calls showed."""


class HostsListOut(Output):
    """`nonet hosts list`; with --watch an object a look."""

    hosts: list[HostOut]


class HostsChangeOut(Output):
    """`nonet hosts add`, `drain` and `remove`."""

    host: str
    action: Literal["add", "drain", "remove"]


class AccountOut(Output):
    """What some calls cost together."""

    name: str
    calls: int
    from_cache: int
    """Answers that were kept from an earlier call."""
    shared: int
    """Calls that got the answer of another that was under way."""
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    """Of the prompts' tokens: computed for an earlier call, where the runtime tells."""
    wait_seconds: float
    load_seconds: float
    prompt_seconds: float
    generation_seconds: float
    seconds: float
    """Of the calls, loading included, waiting not."""
    swaps: int
    swaps_avoided: int
    joules: float | None
    """null: not known."""


class CacheOut(Output):
    """The response cache."""

    responses: int
    size_bytes: int
    hits: int


class StatsOut(Output):
    """`nonet stats`."""

    by: Literal["model", "host", "run", "subtask", "job"]
    since_s: float
    """Seconds since the epoch; 0: all calls."""
    total: AccountOut
    rows: list[AccountOut]
    """Those that took longest first."""
    cache: CacheOut


SCHEDULER_OUTPUTS: dict[str, type[Output]] = {
    "hosts-list": HostsListOut,
    "hosts-change": HostsChangeOut,
    "stats": StatsOut,
}
