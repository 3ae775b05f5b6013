"""What a plan must satisfy before it runs here, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.errors import PlanError

if TYPE_CHECKING:
    from nonet.agents.plan import Plan
    from nonet.graphs.session import Session


def check_plan(plan: Plan, session: Session, *, whose: str = "The planner's plan") -> None:
    """Raise PlanError unless the plan can run here."""
    try:
        plan.check(frozenset(session.specialists), session.settings.max_subtasks, session.settings.max_depth)
    except ValueError as error:
        raise PlanError(f"{whose} cannot run: {error}.") from error
