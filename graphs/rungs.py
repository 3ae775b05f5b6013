"""The rungs of a specialist's ladder: the models of this session, then the remote one, where one is configured."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nonet.errors import SettingsError
from nonet.runtimes.ollama_host import is_loopback
from nonet.runtimes.scheduler import Scheduler

if TYPE_CHECKING:
    from nonet.runtimes import ChatRequest, ChatResponse, Runtime
    from nonet.runtimes.redaction import Redactor
    from nonet.settings import Remote, Settings

_SLOTS = 4


@dataclass(frozen=True, slots=True)
class Rung:
    """One model, and where it is asked."""

    model: str
    """Its name there."""
    runtime: Runtime
    scheduler: Scheduler
    host: str = ""
    """Empty: the runtime of this session."""
    window_tokens: int = 0
    """As configured; 0: the runtime of this session says."""
    leaves: bool = False
    """What it is asked leaves this machine."""

    @property
    def label(self) -> str:
        """As attempts and notices name it."""
        return f"{self.model}@{self.host}" if self.host else self.model


@dataclass(frozen=True, slots=True)
class Letter:
    """A request that leaves the machine, without what must not."""

    request: ChatRequest
    redactor: Redactor

    @property
    def text(self) -> str:
        """What is sent, to be kept."""
        return json.dumps([{"role": each.role, "content": each.content} for each in self.request.messages])

    def told(self, host: str) -> str:
        """What goes where, in words."""
        characters = sum(len(message.content) for message in self.request.messages)
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return f"{characters:,} characters go to {host}, {self.redactor.told()} (SHA-256 {digest[:16]})"

    def opened(self, response: ChatResponse) -> ChatResponse:
        """The answer with what was taken out put back."""
        text = self.redactor.restored(response.text, is_json=self.request.schema is not None)
        return replace(response, text=text)


def letter(request: ChatRequest) -> Letter:
    """The request as it may leave the machine."""
    from nonet.runtimes.redaction import Redactor  # noqa: PLC0415  only where something leaves

    redactor = Redactor()
    return Letter(replace(request, messages=redactor.messages(request.messages)), redactor)


def remote_rungs(settings: Settings, specialists: Sequence[str]) -> dict[str, Rung]:
    """By specialist; those that share a server share its scheduler.

    Raises:
        SettingsError: a specialist that does not exist, an address that cannot be read, or a key that is not there.
    """
    servers: dict[tuple[str, str, str], tuple[Runtime, Scheduler]] = {}
    rungs: dict[str, Rung] = {}
    for specialist, remote in settings.remote.items():
        if specialist not in specialists:
            raise SettingsError(
                f"The setting remote.{specialist} names a specialist that does not exist.",
                next_step=f"There are: {', '.join(specialists)}.",
            )
        place = (remote.kind, remote.url, remote.key_env or "")
        if place not in servers:
            runtime = _runtime(settings, specialist, remote)
            servers[place] = (runtime, Scheduler(runtime, slots=_SLOTS))
        host = urlsplit(remote.url).hostname or remote.url
        rungs[specialist] = Rung(
            remote.model, *servers[place], host, remote.context_tokens, leaves=not is_loopback(remote.url)
        )
    return rungs


def _runtime(settings: Settings, specialist: str, remote: Remote) -> Runtime:
    key = os.environ.get(remote.key_env, "") if remote.key_env else ""
    if remote.key_env and not key:
        raise SettingsError(
            f"The remote model of {specialist} wants its key in {remote.key_env}, which is not set.",
            next_step=f"Set {remote.key_env}, or take remote.{specialist} out of the settings.",
        )
    if remote.kind == "openai":
        from nonet.runtimes.openai_api import OpenAiRuntime  # noqa: PLC0415  only where one is configured

        return OpenAiRuntime(
            remote.url,
            key=key,
            context_tokens=remote.context_tokens,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            answer_timeout_seconds=settings.first_token_timeout_seconds,
        )
    from nonet.runtimes.ollama import OllamaRuntime  # noqa: PLC0415

    return OllamaRuntime(
        remote.url,
        key=key,
        context_tokens=remote.context_tokens,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        first_token_timeout_seconds=settings.first_token_timeout_seconds,
        stall_timeout_seconds=settings.stall_timeout_seconds,
    )


def ladder(
    specialist: str, models: Sequence[str], runtime: Runtime, scheduler: Scheduler, remotes: Mapping[str, Rung]
) -> tuple[Rung, ...]:
    """Every rung, the smallest model first, the remote one last."""
    local = tuple(Rung(model, runtime, scheduler) for model in models)
    return (*local, remotes[specialist]) if specialist in remotes else local
