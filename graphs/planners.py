"""Which planner a session plans with: what the settings force, else what the models' measured profiles allow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nonet.agents.ladder import PlannerLadder
from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.opinion import SecondOpinion
from nonet.agents.planner import RulePlanner
from nonet.agents.stepwise import StepwisePlanner
from nonet.agents.trust import ONE_SHOT, STEPWISE, Trust, trust_of
from nonet.errors import ModelNotFoundError
from nonet.graphs.plan_desk import SessionPlanDesk

if TYPE_CHECKING:
    from nonet.agents.protocol import Planner, Rung
    from nonet.graphs.context import RunContext
    from nonet.graphs.session import Session
    from nonet.store.records import ModelProfile

_FORCIBLE: Final[Mapping[str, type[StepwisePlanner | OneShotPlanner]]] = {
    STEPWISE: StepwisePlanner,
    ONE_SHOT: OneShotPlanner,
}


@dataclass(frozen=True, slots=True)
class PlanningModel:
    """A model, and what it may decide."""

    name: str
    trust: Trust


def planner_for(session: Session, context: RunContext | None = None) -> Planner:
    """The planner of one plan.

    Args:
        context: the run that is planned; its budget pays for calls, and they are kept with it. None where only a plan
            is wanted: then it is the one for when the documents that the task speaks of are there.

    Raises:
        ModelNotFoundError: the settings name a planning model that is not installed.
    """
    if session.own_planner is not None:
        return session.own_planner
    settings = session.settings
    model = planning_model(session)
    if settings.planner == "rules" or model is None:
        return PlannerLadder((), _rules(session, None, context))
    desk = SessionPlanDesk(session, model.name, context)
    specialists = {name: each.description for name, each in session.specialists.items()}
    opinion = SecondOpinion(desk, specialists, routing=model.trust.routing, edges=model.trust.edges)
    rules = _rules(session, opinion, context)

    def rung(name: str) -> Rung:
        return _FORCIBLE[name](desk, specialists, max_subtasks=settings.max_subtasks, max_depth=settings.max_depth)

    if settings.planner != "auto":
        return PlannerLadder((rung(settings.planner),), rules, desk=desk, forced=True)
    order = [*map(rung, model.trust.before), rules, *map(rung, model.trust.after)]
    return PlannerLadder(order, rules, desk=desk)


def planning_model(session: Session) -> PlanningModel | None:
    """The model that plans: the settings' own; else of all the ladders' models the one that may decide most.

    Of equals the first, so a smaller one. None where none may decide anything, unless a way of planning is forced:
    then the last of the general ladder, which is the largest.
    """
    settings = session.settings
    if settings.planner_model is not None:
        if settings.planner_model not in session.installed:
            raise ModelNotFoundError(
                f"The planning model {settings.planner_model!r} is not installed.",
                next_step=f"Fetch it with `nonet models pull {settings.planner_model}`, or leave planner_model unset.",
            )
        return PlanningModel(settings.planner_model, _trusts(session, [settings.planner_model])[0])
    names = list(dict.fromkeys(name for ladder in session.ladders.values() for name in ladder))
    known = [PlanningModel(*each) for each in zip(names, _trusts(session, names), strict=True)]
    best = max(known, key=lambda each: each.trust.rank, default=None)
    if best is not None and best.trust != Trust():
        return best
    if settings.planner in _FORCIBLE:
        ladder = session.ladders.get("general") or next(iter(session.ladders.values()))
        return PlanningModel(ladder[-1], Trust())
    return None


def _trusts(session: Session, models: Sequence[str]) -> list[Trust]:
    """By the stored profiles; one of other weights is stale and gives none."""
    profiles = {each.model: each for each in session.store.models.profiles(session.runtime.name)}
    return [_trust(profiles.get(model), session.installed.get(model, "")) for model in models]


def _trust(stored: ModelProfile | None, digest: str) -> Trust:
    if stored is None or (digest and stored.digest and stored.digest != digest):
        return Trust()
    return trust_of(json.loads(stored.profile_json))


def _rules(session: Session, opinion: SecondOpinion | None, context: RunContext | None) -> RulePlanner:
    settings = session.settings
    return RulePlanner(
        session.router(),
        max_subtasks=settings.max_subtasks,
        max_depth=settings.max_depth,
        memory=context is not None,
        opinion=opinion,
    )
