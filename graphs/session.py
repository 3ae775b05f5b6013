"""What a door opens once and works with: the store, one runtime behind its scheduler, specialists and the planner."""

from __future__ import annotations

import functools
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nonet.errors import ModelNotFoundError
from nonet.graphs.choice import ChosenRuntime, choose_runtime
from nonet.graphs.embedding import Embedder as DocumentEmbedder
from nonet.graphs.embedding import space_of
from nonet.graphs.host_watch import HostWatch
from nonet.graphs.judging import measured_judges
from nonet.graphs.ladders import Ladders, choose_embedder, choose_ladders
from nonet.graphs.rungs import Rung, ladder, remote_rungs
from nonet.graphs.scheduling import keep_costs, make_scheduler
from nonet.graphs.trace import TraceFile
from nonet.graphs.turns import Turns
from nonet.graphs.windows import choose_windows, readings
from nonet.runtimes.count_guard import CountGuard
from nonet.runtimes.energy import find_meter
from nonet.runtimes.lines import Priority
from nonet.specialists.sandbox.probe import find_sandbox
from nonet.specialists.staff import Staff, find_staff
from nonet.store import Store

if TYPE_CHECKING:
    from nonet.agents.protocol import Planner
    from nonet.agents.router import Embedder, Router
    from nonet.runtimes import ModelInfo, Runtime
    from nonet.runtimes.energy import EnergyMeter
    from nonet.runtimes.scheduler import Scheduler
    from nonet.settings import Settings
    from nonet.specialists import Sandbox, Specialist, Workspace


def owner() -> str:
    """Who holds a lease: host and process, so that another process on this host can tell whether it still lives."""
    return f"{_host_name()}:{os.getpid()}"


_host_name = functools.cache(socket.gethostname)


@dataclass(slots=True)
class Session:
    """Open with `await Session.open(settings)`; an async context manager. Many runs may share one session."""

    settings: Settings
    store: Store
    runtime: Runtime
    runtime_reason: str
    """Why this runtime was chosen, in words."""
    scheduler: Scheduler
    ladders: Ladders
    specialists: Mapping[str, Specialist]
    staff: Staff
    """Where the specialists come from, and who was left out."""
    embed_model: str | None
    """None: no embedding model is there; routing is lexical and retrieval is BM25 alone."""
    energy: EnergyMeter | None = None
    """Of the machine; None where it tells nothing, or the models run on another."""
    embed_digest: str = ""
    """Of the embedding model's weights; empty where the runtime does not know it."""
    remotes: Mapping[str, Rung] = field(default_factory=dict)
    """By specialist: the model that is asked last, on another server."""
    guards: dict[str, CountGuard] = field(default_factory=dict)
    """By label of the rung: what was learned of its counts."""
    judges: Mapping[str, str] = field(default_factory=dict)
    """Models that judge better than chance, each with how well that was measured."""
    bars: Mapping[str, float] = field(default_factory=dict)
    """By specialist: the confidence below which the next rung is tried, where it was calibrated."""
    wants_certainty: bool = False
    """Runtimes are asked how sure a model is of its tokens: while calibrating, and with a ladder that was."""
    installed: Mapping[str, str] = field(default_factory=dict)
    """Models that can chat, each with the digest of its weights; empty where the runtime does not know it."""
    trace: TraceFile | None = None
    """Where calls are written as they end."""
    turns: Turns = field(default_factory=Turns)
    workspace: Workspace | None = None
    """Files of the user's that the code specialist changes, where a door was given any. Kept with the run."""
    own_planner: Planner | None = None
    """Plans instead of what the settings and the models' profiles would choose."""
    _host_watch: HostWatch | None = None
    _router: Router | None = None
    _windows: dict[str, int] = field(default_factory=dict)
    _sandbox: Sandbox | None = None
    _sandbox_probed: bool = False

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        specialists: Mapping[str, Specialist] | None = None,
        own: Sequence[Specialist] = (),
        plans_only: bool = False,
    ) -> Self:
        """Open the store and choose the runtime and the models.

        Args:
            specialists: by name: these and no others.
            own: of yours, beside those that ship, those of the settings, and those of installed packs.
            plans_only: no work will be done, so that no model that can chat has to be there, unless one is to plan.

        Raises:
            SpecialistError: one of `own` is none, or its name is taken.
            StoreError: the database cannot be used.
            RuntimeUnavailableError: no runtime answers.
            ModelNotFoundError: a model that was asked for, or every model, is missing.
        """
        staff = find_staff(settings.specialists, own) if specialists is None else Staff(specialists, {})
        store = Store.open(settings.database_path())
        try:
            chosen = await choose_runtime(settings)
            try:
                models = await chosen.runtime.models()
                windows = _windows_of(settings, store, chosen, models)
                session = cls._of(settings, store, chosen, models, staff, plans_only=plans_only)
            except BaseException:
                await chosen.runtime.aclose()
                raise
        except BaseException:
            await store.aclose()
            raise
        try:
            await session.follow_settings(windows)
        except BaseException:
            await session.aclose()
            raise
        return session

    @classmethod
    def _of(
        cls,
        settings: Settings,
        store: Store,
        chosen: ChosenRuntime,
        models: Sequence[ModelInfo],
        staff: Staff,
        *,
        plans_only: bool,
    ) -> Self:
        """The session of what was found here."""
        names = tuple(staff.specialists)
        runtime = chosen.runtime.name
        embed_model = choose_embedder(settings, models)
        needs_none = plans_only and settings.planner in {"auto", "rules"}
        session = cls(
            settings=settings,
            store=store,
            runtime=chosen.runtime,
            runtime_reason=chosen.reason,
            ladders=choose_ladders(settings, models, names, runtime, staff.models, may_be_empty=needs_none),
            scheduler=make_scheduler(settings, chosen, models, embed_model, store),
            specialists=staff.specialists,
            staff=staff,
            embed_model=embed_model,
            remotes=remote_rungs(settings, (*names, *staff.missing)) if settings.remote else {},
            judges=measured_judges(store, runtime, models),
            energy=find_meter() if chosen.is_local else None,
            installed={model.name: model.digest for model in models if "chat" in model.capabilities},
            embed_digest=next((model.digest for model in models if model.name == embed_model), ""),
        )
        session.bars = session.calibrated()
        session.wants_certainty = bool(session.bars)
        return session

    async def follow_settings(self, windows: Mapping[str, int]) -> None:
        """Begin the trace that the settings name, and follow the hosts that are added and drained by hand.

        Args:
            windows: by model, for the hosts that come.

        Raises:
            StoreWriteError: the trace cannot be written.
        """
        if self.settings.trace_file is not None:
            self.trace = TraceFile(self.settings.trace_file)
        if self.runtime.name == "ollama":
            self._host_watch = HostWatch(self.settings, self.store, self.scheduler, windows)
            await self._host_watch.start()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give back the scheduler, the runtime, then the store, whatever the first ones do."""
        try:
            await self.scheduler.aclose()
            keep_costs(self.scheduler, self.store)
            if self._host_watch is not None:
                await self._host_watch.aclose()
            if self.trace is not None:
                self.trace.close()
            await self.runtime.aclose()
            for rung in self.remotes.values():
                await rung.scheduler.aclose()
                await rung.runtime.aclose()
        finally:
            await self.store.aclose()

    def router(self) -> Router:
        """Routes requests by the specialists' examples; made at first use."""
        if self._router is None:
            from nonet.agents.router import Router  # noqa: PLC0415  only what plans pays for it

            examples = {name: specialist.examples for name, specialist in self.specialists.items()}
            self._router = Router(examples, self._routing_embedder(examples))
        return self._router

    def _routing_embedder(self, examples: Mapping[str, Sequence[str]]) -> Embedder | None:
        """What the router embeds with; the examples' vectors are kept where the runtime knows the model's weights."""
        if self.embed_model is None or not self.embed_digest:
            return self.embed if self.embed_model else None
        from nonet.agents.examples import with_more  # noqa: PLC0415
        from nonet.graphs.example_vectors import ExampleVectors  # noqa: PLC0415

        texts = [
            text for each in with_more({name: tuple(each) for name, each in examples.items()}).values() for text in each
        ]
        return ExampleVectors(
            self.embed, texts, model=self.embed_model, digest=self.embed_digest, folder=self.settings.cache_path()
        )

    def sandbox(self) -> Sandbox | None:
        """The best tier that works here, probed at first use; None where none does."""
        if not self._sandbox_probed:
            self._sandbox = find_sandbox()
            self._sandbox_probed = True
        return self._sandbox

    def ladder_name(self, specialist: str) -> str:
        """Its models and their weights, to tell whether a calibration is of this very ladder."""
        return json.dumps([[rung.label, self.installed.get(rung.label, "")] for rung in self.rungs(specialist)])

    def calibrated(self) -> dict[str, float]:
        """The bars that were measured with the ladders of this session."""
        kept = self.store.calibrations.of(self.runtime.name)
        mine = {each.specialist: each for each in kept if each.specialist in self.specialists}
        return {name: each.bar for name, each in mine.items() if each.ladder == self.ladder_name(name)}

    def rung(self, model: str) -> Rung:
        """A model of this session's runtime."""
        return Rung(model, self.runtime, self.scheduler)

    def rungs(self, specialist: str) -> tuple[Rung, ...]:
        """The specialist's ladder: its models here, the smallest first, then its remote one."""
        return ladder(specialist, self.ladders[specialist], self.runtime, self.scheduler, self.remotes)

    async def window_of(self, rung: Rung) -> int:
        """The window the rung is served with, prompt and answer together. Raises ModelNotFoundError."""
        return rung.window_tokens or await self.window_tokens(rung.model)

    async def window_tokens(self, model: str) -> int:
        """The window the runtime serves the model with. Raises ModelNotFoundError."""
        if model not in self._windows:
            self._windows[model] = (await self.runtime.describe(model)).context_tokens
        return self._windows[model]

    def embedder(self) -> DocumentEmbedder | None:
        """What makes the vectors that documents are searched by; None where there is no embedding model."""
        if self.embed_model is None:
            return None
        return DocumentEmbedder(space_of(self.embed_model, self.embed_digest), self.embed)

    async def embed(
        self, texts: Sequence[str], priority: Priority = Priority.INTERACTIVE
    ) -> tuple[tuple[float, ...], ...] | None:
        """Unit vectors from the embedding model, None where there is none."""
        if self.embed_model is None or not texts:
            return None
        try:
            return (await self.scheduler.embed(self.embed_model, texts, priority=priority)).vectors
        except ModelNotFoundError:
            self.embed_model = None
            return None


def _windows_of(
    settings: Settings, store: Store, chosen: ChosenRuntime, models: Sequence[ModelInfo]
) -> Mapping[str, int]:
    """By model, the windows that the runtime now serves; empty where it chooses its own."""
    if chosen.set_windows is None:
        return {}
    measured = readings(store, chosen.runtime.name, models)
    windows = choose_windows(settings, models, measured, memory=None if chosen.is_local else 0)
    chosen.set_windows(windows)
    return windows
