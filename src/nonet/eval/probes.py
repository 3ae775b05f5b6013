"""What is measured without an answer in words: plans, routes, rankings, likelihoods; and what takes no model."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from nonet.agents.documents import DocumentInfo
from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.opinion import ask_specialist as ask_who
from nonet.agents.router import Request
from nonet.errors import RuntimeUnavailableError
from nonet.eval.items import Answer, Item
from nonet.eval.plans import graph_of
from nonet.eval.suites import NONE, RAW
from nonet.graphs.embedding import embed_pending
from nonet.graphs.plan_desk import SessionPlanDesk
from nonet.graphs.planners import planner_for
from nonet.graphs.result import RunUsage
from nonet.graphs.searching import StoreSearcher
from nonet.runtimes.choosing import Option
from nonet.runtimes.scoring import ScoresText
from nonet.specialists.extract import extract
from nonet.specialists.hopping import follow
from nonet.specialists.length import read_wish
from nonet.specialists.ranking import rank_sentences
from nonet.specialists.text import content_stems
from nonet.store import Filter

if TYPE_CHECKING:
    from nonet.agents.plan import Plan
    from nonet.eval.arms import Arm
    from nonet.graphs.session import Session

DEPTH: Final = 30
"""Hits that a search is judged by."""
_PASSAGES: Final = 8


async def planned(arm: Arm, item: Item) -> Answer:
    """The plan of nonet's planner, or the model's own plan under a schema with nothing around it."""
    session = arm.session
    titles = dict(item.known_documents)
    attached = tuple(
        DocumentInfo(name, titles.get(name, text[:60]), len(text)) for name, text in item.documents.items()
    )
    collection = tuple(DocumentInfo(name, title) for name, title in item.known_documents if name not in item.documents)
    desk = SessionPlanDesk(session, arm.model("general"))
    started = time.perf_counter()
    if arm.name == RAW:
        staff = _staff(session)
        plan = await OneShotPlanner(desk, staff).plan(item.request, attached=attached, collection=collection)
    else:
        plan = await planner_for(session).plan(item.request, attached=attached, collection=collection)
    graph = graph_of(plan)
    facts = {"nodes": list(graph.nodes), "edges": list(graph.edges)}
    return Answer(_told(plan), usage=_cost(desk, plan, time.perf_counter() - started), facts=facts)


def _told(plan: Plan) -> str:
    return "\n".join(
        f"{each.id} {each.specialist}({', '.join(each.inputs)}): {each.instruction}" for each in plan.subtasks
    )


def _cost(desk: SessionPlanDesk, plan: Plan | None, seconds: float) -> RunUsage:
    calls = desk.calls or (sum(tried.calls for tried in plan.tried) if plan is not None else 0)
    return RunUsage(calls, desk.usage.prompt_tokens, desk.usage.completion_tokens, seconds)


def _staff(session: Session) -> dict[str, str]:
    return {name: each.description for name, each in session.specialists.items()}


async def routed(arm: Arm, item: Item) -> Answer:
    """The choice of nonet's router, or the model's choice among the specialists, averaged over their orders."""
    started = time.perf_counter()
    if arm.name == RAW:
        desk = SessionPlanDesk(arm.session, arm.model("general"))
        options = [Option(name, description) for name, description in _staff(arm.session).items()]
        choice = await ask_who(desk.ask, item.request, options)
        return Answer(choice.name, usage=_cost(desk, None, time.perf_counter() - started))
    [found] = await arm.session.router().route_many((Request(item.request, item.has_document),))
    usage = RunUsage(seconds=time.perf_counter() - started)
    return Answer(found.specialist, usage=usage, facts={"by": found.routing.method, "sure": found.routing.sure})


async def searched(arm: Arm, item: Item) -> Answer:
    """The ranking of nonet's search, which follows the names it finds where a question is left open; or words alone."""
    store = arm.session.store
    embedder = arm.session.embedder()
    if embedder is not None:
        await embed_pending(store, embedder, Filter())
    started = time.perf_counter()
    searcher = StoreSearcher(store, embedder=embedder)
    passages = list(await searcher.search(item.request, DEPTH))
    if arm.name != NONE:
        passages = await follow(item.request, passages, searcher, DEPTH)
    ranking = list(dict.fromkeys(passage.document for passage in passages))
    usage = RunUsage(seconds=time.perf_counter() - started)
    return Answer(json.dumps(ranking[:10], ensure_ascii=False), usage=usage, facts={"ranking": ranking})


async def scored(arm: Arm, item: Item) -> Answer:
    """How likely the model finds the text."""
    runtime = arm.session.runtime
    if not isinstance(runtime, ScoresText):
        raise RuntimeUnavailableError(
            f"The {runtime.name} runtime does not tell how likely a model finds a given text, so it has no perplexity.",
            next_step="Use --runtime embedded, which runs the same weights.",
        )
    started = time.perf_counter()
    score = await runtime.score_text(arm.model("general"), item.request)
    usage = RunUsage(1, score.tokens, 0, time.perf_counter() - started)
    return Answer(
        "", usage=usage, facts={"nats": score.nats, "tokens": score.tokens, "bytes": len(item.request.encode())}
    )


async def floor(arm: Arm, item: Item) -> Answer:
    """What takes no model: the best sentence for a question, the central sentences of a text."""
    started = time.perf_counter()
    if item.specialist == "summarization":
        text = "\n\n".join(item.documents.values())
        wish = read_wish(item.request)
        spans = extract(text, focus=_focus(item), most_sentences=wish.sentences, most_words=wish.words)
        said = " ".join(span.text for span in spans)
    else:
        passages = list(await StoreSearcher(arm.session.store).search(item.request, _PASSAGES))
        ranked = sorted(rank_sentences(item.request, passages), key=lambda sentence: -sentence.lexical)
        said = ranked[0].text if ranked else ""
    return Answer(said, usage=RunUsage(seconds=time.perf_counter() - started))


def _focus(item: Item) -> tuple[str, ...]:
    """What a question asks for; a mere wish for a summary has no subject."""
    return tuple(content_stems(item.request)) if "?" in item.request else ()
