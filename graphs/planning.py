"""What a plan must satisfy before it runs here, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.errors import PlanError, SpecialistError

if TYPE_CHECKING:
    from nonet.agents.plan import Plan
    from nonet.graphs.session import Session


def check_staff(plan: Plan, session: Session, whose: str) -> None:
    """Raise SpecialistError where a kept plan needs a specialist that is not here any more."""
    missing = next((each.specialist for each in plan.subtasks if each.specialist not in session.specialists), None)
    if missing is not None:
        raise SpecialistError(
            session.staff.why_missing(missing) or f"{whose} needs the specialist {missing!r}, which is not here.",
            kept="What was finished is kept.",
            next_step="Install the pack, or declare the specialist in nonet.toml, then go on.",
        )


def check_plan(plan: Plan, session: Session, *, whose: str = "The planner's plan") -> None:
    """Raise PlanError unless the plan can run here."""
    try:
        plan.check(frozenset(session.specialists), session.settings.max_subtasks, session.settings.max_depth)
    except ValueError as error:
        raise PlanError(f"{whose} cannot run: {error}.") from error
