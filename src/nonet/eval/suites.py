"""The suites: what each asks, of which data, who can answer it, and by which number it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nonet.errors import UsageError
from nonet.eval.forms import Row
from nonet.eval.forms_plans import OwnPlanRow, PlanRow, RoutingRow, TaskRow
from nonet.eval.forms_questions import BiasRow, HumanEvalRow, MbppRow, QuestionRow, SearchRow
from nonet.eval.forms_summaries import AbstractRow, MeetingRow, StoryRow, TranslationRow
from nonet.store.names import nearest


class Work(StrEnum):
    """What is done with an item."""

    ANSWER = "answer"
    PLAN = "plan"
    ROUTE = "route"
    SEARCH = "search"
    PROBE = "probe"
    SCORE = "score"


RAW, BEST_OF, NONET, SPECIALISTS, ESCALATION, NONE = "raw", "best-of", "nonet", "specialists", "escalation", "none"
ARMS: Final = {
    RAW: "one model alone: one greedy call with everything in its prompt",
    NONET: "nonet, with --model for every specialist if it is given",
    BEST_OF: "the model alone, sampled for as many tokens as nonet took, the best chosen",
    SPECIALISTS: "nonet with the first model of each specialist's ladder",
    ESCALATION: "nonet with a ladder: the model, then every larger one that is installed",
    NONE: "no model at all: rules, words and extracts",
}
"""Ways of answering, in the order in which they are measured: best-of needs what nonet took."""
_ANSWERING: Final = (RAW, NONET, BEST_OF, SPECIALISTS, ESCALATION)


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite."""

    name: str
    about: str
    work: Work
    sets: tuple[str, ...]
    """Files of the evaluation data, without their endings."""
    forms: tuple[type[Row], ...]
    arms: tuple[str, ...]
    metrics: tuple[str, ...]
    """The first decides comparisons."""
    lower_is_better: bool = False

    @property
    def metric(self) -> str:
        """The one that decides."""
        return self.metrics[0]


SUITES: Final = {
    suite.name: suite
    for suite in (
        Suite(
            "planning",
            "plans of composite requests, against the plan each should get",
            Work.PLAN,
            ("composite",),
            (PlanRow, OwnPlanRow),
            (RAW, NONET, NONE),
            ("exact", "node_f1", "edge_f1"),
        ),
        Suite(
            "routing",
            "which specialist a request belongs to",
            Work.ROUTE,
            ("routing",),
            (RoutingRow,),
            (RAW, NONET, NONE),
            ("right", "right_without_cue"),
        ),
        Suite(
            "code",
            "functions, judged by tests that run in the sandbox (HumanEval, MBPP with one test shown)",
            Work.ANSWER,
            ("humaneval", "mbpp_sanitized"),
            (HumanEvalRow, MbppRow),
            _ANSWERING,
            ("passed",),
        ),
        Suite(
            "retrieval",
            "whether a search finds the passages that a question needs (HotpotQA, MuSiQue)",
            Work.SEARCH,
            ("hotpotqa", "musique"),
            (SearchRow,),
            (NONET, NONE),
            ("ndcg@10", "recall@5", "recall@10", "all@5"),
        ),
        Suite(
            "grounded",
            "questions that documents answer (HotpotQA whole, MuSiQue's single steps)",
            Work.ANSWER,
            ("hotpotqa", "musique"),
            (QuestionRow,),
            (*_ANSWERING, NONE),
            ("right", "exact", "f1", "quoted"),
        ),
        Suite(
            "summarization",
            "summaries, by ROUGE against what people wrote (SciTLDR)",
            Work.ANSWER,
            ("scitldr",),
            (AbstractRow, StoryRow, MeetingRow),
            (*_ANSWERING, NONE),
            ("rougeL", "rouge1", "rouge2"),
        ),
        Suite(
            "end-to-end",
            "whole tasks for several specialists, each part with an answer that can be checked",
            Work.ANSWER,
            ("composite",),
            (TaskRow,),
            _ANSWERING,
            ("passed", "checks"),
        ),
        Suite(
            "translation",
            "translations, by chrF and BLEU; needs --data with sources and references",
            Work.ANSWER,
            (),
            (TranslationRow,),
            (RAW, NONET, SPECIALISTS, ESCALATION),
            ("chrf", "bleu"),
        ),
        Suite(
            "bias",
            "whether a request is planned and verified alike when names, genders and nationalities are swapped",
            Work.PROBE,
            (),
            (BiasRow,),
            (NONET, SPECIALISTS, ESCALATION),
            ("alike", "planned_alike", "verdict_alike"),
        ),
        Suite(
            "perplexity",
            "how likely a model finds a text, in pieces of it; needs --data with a text, and the embedded runtime",
            Work.SCORE,
            (),
            (),
            (RAW,),
            ("bits_per_byte", "perplexity"),
            lower_is_better=True,
        ),
    )
}
DEFAULT: Final = ("planning", "routing", "code", "retrieval", "grounded", "summarization", "end-to-end")
"""Without names: those that the evaluation data has."""


def suite_of(name: str) -> Suite:
    """The suite of that name. Raises UsageError."""
    if name not in SUITES:
        hint = nearest(name, SUITES)
        raise UsageError(f"There is no suite {name!r}.", next_step=f"{hint} There are: {', '.join(SUITES)}.".strip())
    return SUITES[name]


def check_arms(names: Sequence[str]) -> list[str]:
    """The arms in the order they are measured in; best-of brings nonet along. Raises UsageError."""
    wanted = {*names, *(_ANSWERING if "all" in names else ())} - {"all"}
    for name in wanted - set(ARMS):
        hint = nearest(name, ARMS)
        raise UsageError(
            f"There is no arm {name!r}.", next_step=f"{hint} There are: {', '.join(ARMS)}, or all.".strip()
        )
    if BEST_OF in wanted:
        wanted.add(NONET)
    return [name for name in ARMS if name in wanted]
