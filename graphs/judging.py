"""The last check, where nothing else can be made: a model says whether the answer is right.

Only a model that was measured to judge better than chance does (`nonet doctor`), only about answers that nothing proves
or doubts, and only where its word can change something: where there is another rung to climb to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nonet.errors import BudgetSpentError, CallError
from nonet.runtimes.judge import ANSWER_TOKENS, SCHEMA, better_than_chance, judge_messages, says_right
from nonet.specialists import Evidence, Outcome, Verdict

if TYPE_CHECKING:
    from nonet.graphs.desk import RunDesk
    from nonet.runtimes import ModelInfo
    from nonet.store import Store

PROVING = frozenset({"code", "retrieval", "summarization"})
"""Specialists whose own checks say more than a judge was measured on."""


async def judged(specialist: str, instruction: str, outcome: Outcome, desk: RunDesk) -> Outcome:
    """The outcome with the judge's word as evidence; as it was where no judge may or can say anything."""
    measured = desk.context.session.judges.get(desk.rung.label)
    open_question = outcome.verdict is Verdict.UNVERIFIED and all(item.passed is not False for item in outcome.evidence)
    if measured is None or not open_question or specialist in PROVING:
        return outcome
    messages = judge_messages(instruction, outcome.text)
    try:
        if await desk.count_tokens(messages) + ANSWER_TOKENS > desk.window_tokens:
            return outcome
        response = await desk.chat(
            messages, schema=SCHEMA, max_completion_tokens=ANSWER_TOKENS, on_text=lambda _text: None
        )
    except (CallError, BudgetSpentError) as error:
        unheard = Evidence("judge", passed=None, detail=f"not asked: {error.message}")
        return replace(outcome, evidence=(*outcome.evidence, unheard))
    right = says_right(response.text)
    said = "right" if right else "wrong"
    detail = f"{desk.rung.label} calls it {said}; measured: {measured} such verdicts right"
    return replace(outcome, evidence=(*outcome.evidence, Evidence("judge", passed=right, detail=detail)))


def measured_judges(store: Store, runtime: str, models: Sequence[ModelInfo]) -> dict[str, str]:
    """Models that judge better than chance, each with how well, from profiles of these very weights."""
    digests = {model.name: model.digest for model in models}
    found = {}
    for kept in store.models.profiles(runtime):
        profile = json.loads(kept.profile_json)
        right, asked = int(profile.get("judge_right", 0)), int(profile.get("judge_asked", 0))
        if digests.get(kept.model) == kept.digest and better_than_chance(right, asked):
            found[kept.model] = f"{right} of {asked}"
    return found
