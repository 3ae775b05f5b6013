"""Asking: one item of any suite, by any way of answering that the suite has."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nonet.errors import BudgetSpentError, CallError, DocumentError, PlanError, TaskError
from nonet.eval.alone import alone, best_of
from nonet.eval.items import Alike, Answer, Graph, Item
from nonet.eval.plans import graph_of
from nonet.eval.probes import floor, planned, routed, scored, searched
from nonet.eval.suites import BEST_OF, NONE, RAW, Suite, Work
from nonet.graphs.ask import ask_specialist
from nonet.graphs.documents import add_documents
from nonet.graphs.result import RunUsage
from nonet.graphs.run import run_task
from nonet.specialists.budget import split_chars
from nonet.specialists.ingest import CHUNK_CHARS, CHUNK_OVERLAP_CHARS
from nonet.store import NewDocument

if TYPE_CHECKING:
    from nonet.eval.arms import Arm

_LONGEST_NAME: Final = 60
_WRONG: Final = (CallError, PlanError, DocumentError, TaskError, BudgetSpentError)
"""What an item may end in; the others say that nothing can be asked any more."""


_WITHOUT_ANSWERS: Final = {
    Work.PLAN: planned,
    Work.ROUTE: routed,
    Work.SEARCH: searched,
    Work.SCORE: scored,
}


@dataclass(slots=True)
class Asker:
    """Asks items one after another; gives back what it opened with `close`."""

    arm: Arm
    suite: Suite
    seed: int = 0
    _over: Arm | None = field(default=None, init=False)
    """The arm over the collection of the item before, which the next often has, too."""
    _collection: Mapping[str, str] | None = field(default=None, init=False)

    async def answer(self, item: Item, budget_tokens: int = 0) -> Answer:
        """What the arm gives. An error of this item alone is its answer; the rest are raised.

        Args:
            budget_tokens: what best-of may spend.
        """
        arm = self._with_collection(item)
        try:
            if self.suite.work is Work.PROBE:
                return await self._probed(arm, item)
            if self.suite.work is Work.ANSWER:
                return await self._answered(arm, item, budget_tokens)
            return await _WITHOUT_ANSWERS[self.suite.work](arm, item)
        except _WRONG as error:
            return Answer("", "failed", facts={"error": error.message})

    def close(self) -> None:
        """Close the collection at hand."""
        if self._over is not None:
            self._over.session.store.close()
            self._over = None

    def _with_collection(self, item: Item) -> Arm:
        collection = item.collection
        if not collection:
            return self.arm
        if self._over is None or self._collection is not collection:
            self.close()
            self._over = self.arm.with_store(self._new_folder() / "collection.db")
            self._collection = collection
            documents = self._over.session.store.documents
            if item.specialist:  # under their titles; whole tasks look things up in files
                documents.add_many([_document(name, text) for name, text in collection.items()])
            else:
                add_documents(self._over.session.store, [self._written(collection)])
        return self._over

    async def _answered(self, arm: Arm, item: Item, budget_tokens: int) -> Answer:
        if arm.name == RAW:
            return await alone(arm, item)
        if arm.name == BEST_OF:
            return await best_of(arm, item, budget_tokens, self.seed)
        if arm.name == NONE:
            return await floor(arm, item)
        return await _whole(arm, item.request, item.specialist, self._files(item.documents))

    async def _probed(self, arm: Arm, item: Item) -> Answer:
        variants: list[dict[str, Any]] = []
        total = RunUsage()
        for check in item.checks:
            for request, documents in check.variants if isinstance(check, Alike) else ():
                answer = await _whole(arm, request, "", self._files(documents))
                total = _sum(total, answer.usage)
                plan = [answer.facts["nodes"], answer.facts["edges"]]
                variants.append({"request": request, "plan": plan, "verdict": answer.verdict, "answer": answer.text})
        return Answer("\n\n".join(each["answer"] for each in variants), usage=total, facts={"variants": variants})

    def _files(self, documents: Mapping[str, str]) -> list[Path]:
        return [self._written(documents)] if documents else []

    def _written(self, documents: Mapping[str, str]) -> Path:
        folder = self._new_folder()
        for name, text in documents.items():
            (folder / Path(name).name[-_LONGEST_NAME:]).write_text(text, "utf-8", errors="replace")
        return folder

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.arm.folder))


def _document(name: str, text: str) -> NewDocument:
    return NewDocument(name, text, chunks=split_chars(text, CHUNK_CHARS, overlap=CHUNK_OVERLAP_CHARS))


async def _whole(arm: Arm, request: str, specialist: str, documents: Sequence[Path]) -> Answer:
    """A run of nonet, or of one of its specialists where the item names one."""
    session = arm.session
    if specialist:
        asked = await ask_specialist(session, specialist, request, inputs=documents)
        quotes = [citation.quote for citation in asked.citations]
        return Answer(asked.output, str(asked.verdict), asked.usage, {"quotes": quotes, "model": asked.model})
    result = await run_task(session, request, documents=documents)
    graph = graph_of(result.plan) if result.plan is not None else Graph((), ())
    quotes = [citation.quote for citation in result.citations]
    facts = {"run": result.run, "nodes": list(graph.nodes), "edges": list(graph.edges), "quotes": quotes}
    return Answer(result.answer, str(result.verdict), result.usage, facts)


def _sum(one: RunUsage, other: RunUsage) -> RunUsage:
    joules = [each.joules for each in (one, other) if each.joules is not None]
    return RunUsage(
        one.calls + other.calls,
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.seconds + other.seconds,
        one.swaps + other.swaps,
        one.escalations + other.escalations,
        sum(joules) if joules else None,
    )
