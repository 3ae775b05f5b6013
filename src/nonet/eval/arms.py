"""Ways of answering: one session each, opened with the models that the way asks."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nonet.eval.suites import BEST_OF, ESCALATION, NONE, RAW, SPECIALISTS, Suite, Work
from nonet.graphs.planners import planning_model
from nonet.graphs.session import Session
from nonet.store import Store

if TYPE_CHECKING:
    from nonet.runtimes import ModelInfo
    from nonet.settings import Settings

_DECIDES_NOTHING = frozenset(
    {"runtime", "db", "cache_dir", "trace_file", "threads", "response_cache_megabytes", "rerank_model"}
)
"""Settings that no answer depends on. Which runtime it was is known by its name."""
_SPOKESMAN = {"code": "code", "grounded": "retrieval", "summarization": "summarization"}
"""By suite: whose first model stands for the model alone; else that of the general ladder."""
_RUNTIMES = ("embedded", "ollama", "scripted")


@dataclass(slots=True)
class Arm:
    """One way of answering, ready to be asked."""

    name: str
    session: Session
    folder: Path
    """For the files of the items; removed at the end."""
    kept: Store
    """The user's database: what was measured of the models counts here as it does in a run."""

    def model(self, specialist: str) -> str:
        """The model that answers alone where nonet would ask that specialist ("": any)."""
        return self.session.ladders[specialist or "general"][0]

    def models(self, suite: Suite) -> str:
        """Which models answer, in words."""
        session = self.session
        if self.name == NONE:
            return "none"
        if self.name in (RAW, BEST_OF):
            return self.model(_SPOKESMAN.get(suite.name, "general"))
        if suite.work in (Work.ROUTE, Work.SEARCH):
            return session.embed_model or "words alone"
        if suite.work is Work.PLAN:
            planning = planning_model(session)
            return planning.name if planning is not None else "rules"
        asked = [_SPOKESMAN[suite.name]] if suite.name in _SPOKESMAN else list(session.specialists)
        ladders: dict[str, list[str]] = defaultdict(list)
        for name in asked:
            ladders[" > ".join(rung.label for rung in session.rungs(name))].append(name)
        if len(ladders) == 1:
            return next(iter(ladders))
        return "; ".join(f"{', '.join(names)}: {ladder}" for ladder, names in ladders.items())

    def key(self, suite: Suite, data_digest: str, seed: int) -> str:
        """SHA-256 of all that the answers depend on, but for nonet's own code."""
        session = self.session
        settings = session.settings.model_dump(mode="json", exclude=set(_DECIDES_NOTHING))
        ladders = {name: session.ladder_name(name) for name in session.specialists}
        embedder = [session.embed_model, session.embed_digest]
        said = [suite.name, self.name, session.runtime.name, settings, ladders, embedder, data_digest, seed]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    def with_store(self, path: Path) -> Arm:
        """The same way of answering over a new, empty collection; close its store."""
        store = Store.open(path)
        carry_over(self.kept, store)
        return replace(self, session=replace(self.session, store=store))


@asynccontextmanager
async def open_arm(name: str, settings: Settings, kept: Store, folder: Path) -> AsyncIterator[Arm]:
    """Open a way of answering, with a database of its own in the folder.

    Raises:
        ResourceError: no runtime answers, or a model is missing.
    """
    database = folder / "eval.db"
    update = {"db": database, "response_cache_megabytes": 0, "trace_file": None}
    if name == NONE:
        update |= {"runtime": "scripted", "model": None, "models": {}, "embed_model": None, "planner": "rules"}
    if name in (SPECIALISTS, ESCALATION):
        update |= {"model": None}
    with Store.open(database) as store:
        carry_over(kept, store)
    async with await Session.open(settings.model_copy(update=update)) as session:
        yield Arm(name, await _narrowed(name, session, settings), folder, kept)


async def _narrowed(name: str, session: Session, settings: Settings) -> Session:
    """The session with the models that the way of answering asks."""
    if name == NONE:
        session.embed_model = None
    if name == SPECIALISTS:
        return _with_ladders(session, {each: ladder[:1] for each, ladder in session.ladders.items()})
    if name == ESCALATION:
        rungs = _from_there_on(settings.model, session.ladders["general"], await session.runtime.models())
        return _with_ladders(session, dict.fromkeys(session.ladders, rungs))
    return session


def _with_ladders(session: Session, ladders: Mapping[str, tuple[str, ...]]) -> Session:
    changed = replace(session, ladders=ladders, bars={})
    changed.bars = changed.calibrated()
    return changed


def _from_there_on(first: str | None, ladder: tuple[str, ...], models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """The general ladder from that model on; for a model that is not in it, every larger one that chats behind it."""
    if first is None or first in ladder:
        return ladder[ladder.index(first) :] if first else ladder
    chat = sorted((model for model in models if "chat" in model.capabilities), key=lambda model: model.size_bytes)
    size = next((model.size_bytes for model in chat if model.name == first), 0)
    return (first, *(model.name for model in chat if model.size_bytes > size))


def carry_over(source: Store, target: Store) -> None:
    """Copy what was measured of the models: profiles decide who plans, calibrations where a ladder is climbed."""
    for profile in source.models.profiles():
        target.models.save_profile(profile.runtime, profile.model, profile.digest, profile.profile_json)
    for runtime in _RUNTIMES:
        for each in source.calibrations.of(runtime):
            target.calibrations.save(runtime, each.specialist, each.ladder, each.bar, each.report_json)
