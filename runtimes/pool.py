"""Several servers that look like one runtime: what they have together, and who can tell of a model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from nonet.errors import CallError, ModelNotFoundError, ResourceError, RuntimeUnavailableError
from nonet.runtimes.protocol import OnText, Runtime
from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse, Message, ModelInfo, TokenCount

T = TypeVar("T")


class RuntimePool:
    """Implements `Runtime` over others of one kind. Calls go through the scheduler, which chooses the member itself.

    Args:
        members: by the name of their host; at least one.
    """

    def __init__(self, members: Mapping[str, Runtime]) -> None:
        self.members = dict(members)
        self._models: dict[str, dict[str, ModelInfo]] = {}

    @property
    def name(self) -> str:
        """As its members call themselves."""
        return next(iter(self.members.values())).name

    def models_of(self, host: str) -> tuple[ModelInfo, ...]:
        """What `models` saw there; nothing where it did not answer."""
        return tuple(self._models.get(host, {}).values())

    async def models(self) -> tuple[ModelInfo, ...]:
        """What any member has, by name. Raises the first error where none answers."""
        seen = await asyncio.gather(*(member.models() for member in self.members.values()), return_exceptions=True)
        failed: list[BaseException] = []
        merged: dict[str, ModelInfo] = {}
        for host, infos in zip(self.members, seen, strict=True):
            if isinstance(infos, BaseException):
                failed.append(infos)
                self._models[host] = {}
                if not isinstance(infos, (ResourceError, CallError)):
                    raise infos
                continue
            self._models[host] = {info.name: info for info in infos}
            for info in infos:
                before = merged.get(info.name, info)
                same = before.version == info.version  # else their answers differ, and none may stand for the other's
                version = info.version if same else ""
                merged[info.name] = replace(before, loaded=before.loaded or info.loaded, version=version)
        if len(failed) == len(self.members):
            raise failed[0]
        return tuple(sorted(merged.values(), key=lambda info: info.name))

    async def describe(self, model: str) -> ModelInfo:
        """As the first member that has the model describes it."""
        for member in self._who_have(model):
            try:
                return await member.describe(model)
            except (ModelNotFoundError, RuntimeUnavailableError) as error:
                failure = error
        raise failure

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        """As the first member that has the model counts them."""
        for member in self._who_have(model):
            try:
                return await member.count_tokens(model, messages)
            except (ModelNotFoundError, RuntimeUnavailableError) as error:
                failure = error
        raise failure

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        """By the first member that has the model."""
        return await self._who_have(request.model)[0].chat(request, on_text)

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        """By the first member that has the model."""
        return await self._who_have(model)[0].embed(model, texts)

    async def aclose(self) -> None:
        """Close every member."""
        await asyncio.gather(*(member.aclose() for member in self.members.values()))

    def _who_have(self, model: str) -> list[Runtime]:
        """Members that were seen to have it, then those that were not seen at all."""
        known = [host for host in self.members if model in self._models.get(host, {})]
        return [self.members[host] for host in known or self.members]
