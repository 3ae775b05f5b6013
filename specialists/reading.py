"""Reads the answer to a question out of few passages: one call, and one more where the answer cannot be one.

Asked freely, a small model may give back the question's own subject, what it remembers, or a name where a date is
asked for. Then it is asked once more to choose among the phrases that stand in the text and are of the kind asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from nonet.errors import ContextOverflowError, IncompleteAnswerError
from nonet.runtimes import Message
from nonet.specialists.answers import cleaned, declines
from nonet.specialists.budget import Fit, Part, fit
from nonet.specialists.checks import length_check
from nonet.specialists.context import Context, build_context, passages_to_show
from nonet.specialists.kinds import asks_yes_or_no, repeats, says_yes_or_no, without_yes_or_no, wrong_kind
from nonet.specialists.proof import about_its_subject
from nonet.specialists.protocol import Assignment, Desk, Evidence, Passage
from nonet.specialists.questions import Question
from nonet.specialists.ranking import RankedSentence, title
from nonet.specialists.spans import candidates, options
from nonet.specialists.templates import render
from nonet.specialists.text import content_stems, neutral

CONTEXT_CHARS = 900
"""Evidence shown to the model, about 225 tokens. Of MuSiQue's single-hop questions 80 % have their answer in it, and
100 % in 2,400; yet a 0.5B model answers no more of them from more, because it is drawn to the wrong passages."""
ANSWER_TOKENS = 80
MOST_CHARACTERS = 800
"""Of an answer: twice what 80 tokens of prose are. A model may write tokens that are longer."""
_AGAIN_TEMPERATURE = 0.6
"""For a further attempt: greedy, the same model says the same again."""
_NONE = "not stated"
_YES_OR_NO = ("yes", "no")
_OF_ANOTHER = "said of something else"
_FEWEST = 1
"""Phrases to choose among, beside none of them."""


class Reading(BaseModel):
    """What a model read in the passages. Whatever it wrote, nothing else leaves a reader."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]
    """Empty where it gave none, or none that can be used."""
    notes: tuple[Evidence, ...] = ()
    declined: bool = False
    """It says that the passages hold no answer."""
    chosen: bool = False
    """It chose among phrases of the text, after a first answer that could not be one."""


@dataclass(slots=True)
class Reader:
    """One question put to one model, with the passages that were found for it."""

    question: Question
    passages: Sequence[Passage]
    ranked: Sequence[RankedSentence]
    """Their sentences, best first."""
    assignment: Assignment
    desk: Desk
    _notes: list[Evidence] = field(default_factory=list)

    async def read(self) -> Reading:
        """The answer. Raises CallError, but not where no passage fits the window or the answer has no end."""
        shown = passages_to_show(self.question.query, self.passages, self.ranked)
        evidence = [item for item in self.ranked if item.passage in shown]
        context = build_context(self.passages, evidence, CONTEXT_CHARS)
        try:
            prompt = await self._fitted(context, "")
            answer = Reading(answer=cleaned(await self._ask(prompt))).answer
        except ValidationError:
            detail = f"the model's answer has more than {MOST_CHARACTERS} characters"
            return Reading(answer="", notes=(*self._notes, Evidence("length", passed=False, detail=detail)))
        except (ContextOverflowError, IncompleteAnswerError) as error:
            too_large = isinstance(error, ContextOverflowError)
            said = "no passage fits the window" if too_large else "the model gave no answer"
            return Reading(answer="", notes=(Evidence("call", passed=False, detail=f"{said}: {error.message}"),))
        if prompt.dropped:
            detail = f"{len(prompt.kept)} of {len(context.blocks)} passages fit the window"
            self._notes.append(Evidence("coverage", passed=None, detail=detail))
        if declines(answer):
            return Reading(answer="", notes=tuple(self._notes), declined=True)
        return await self._considered(answer, context, evidence)

    async def _considered(self, answer: str, context: Context, evidence: Sequence[RankedSentence]) -> Reading:
        """The answer, or what the model chooses in its place where it cannot be one."""
        if asks_yes_or_no(self.question.text):
            return await self._decided(answer, context)
        both = options(self.question.text)
        if both and not any(set(content_stems(one)) & set(content_stems(answer)) for one in both):
            return await self._choose(answer, "none of the two to choose between", context, both)
        if why := self._unfit(answer):
            return await self._choose(answer, why, context, self._offered(context, evidence))
        subject = about_its_subject(self.question, self.passages)
        if subject and not any(self._added(answer) <= self._said_in([at]) for at in subject):
            evidence, context = self._only(subject)
            return await self._choose(answer, _OF_ANOTHER, context, self._offered(context, evidence))
        return Reading(answer=answer, notes=tuple(self._notes))

    async def _decided(self, answer: str, context: Context) -> Reading:
        """Yes or no. Where the model gave a phrase of the text alone, it is asked for the one to put before it.

        A phrase said of something else than what is asked about is no ground: it goes, and the model decides from the
        passages that speak of that. What yes or no stands on may be said in several of them, and in other words, so
        only a phrase that is all in another passage is taken for such.
        """
        subject = about_its_subject(self.question, self.passages)
        added = self._added(without_yes_or_no(answer))
        others = [at for at in range(len(self.passages)) if at not in subject]
        if subject and not added <= self._said_in(subject) and any(added <= self._said_in([at]) for at in others):
            decided = await self._choose(answer, _OF_ANOTHER, self._only(subject)[1], _YES_OR_NO)
            answer = ""
        elif says_yes_or_no(answer):
            return Reading(answer=answer, notes=tuple(self._notes))
        else:
            decided = await self._choose(answer, "neither yes nor no", context, _YES_OR_NO)
        if not decided.chosen:
            return decided
        return decided.model_copy(update={"answer": f"{decided.answer.capitalize()}. {answer}".strip()})

    def _added(self, answer: str) -> frozenset[str]:
        """Stems of what an answer says beyond the question."""
        return frozenset(content_stems(answer)) - frozenset(content_stems(self.question.query))

    def _said_in(self, places: Collection[int]) -> frozenset[str]:
        """Stems of these passages and of their titles."""
        return frozenset(
            stem
            for at in places
            for stem in content_stems(f"{title(self.passages[at].document)} {self.passages[at].text}")
        )

    def _only(self, places: Collection[int]) -> tuple[Sequence[RankedSentence], Context]:
        """The sentences of these passages, and what of them is shown."""
        evidence = [item for item in self.ranked if item.passage in places]
        return evidence, build_context(self.passages, evidence, CONTEXT_CHARS)

    def _unfit(self, answer: str) -> str:
        """Why it cannot be the answer; empty where it may be."""
        if not answer:
            return ""
        if reason := wrong_kind(self.question.text, answer):
            return reason
        if repeats(self.question.query, answer):
            return "it only repeats the question"
        said = frozenset(content_stems(" ".join(item.text for item in self.ranked)))
        added = self._added(answer)
        return "most of it is in no passage" if 2 * len(added - said) > len(added) else ""

    def _offered(self, context: Context, evidence: Sequence[RankedSentence]) -> list[str]:
        """Phrases of the sentences that are shown, of the kind asked for."""
        read = [item for item in evidence if any(item in block.sentences for block in context.blocks)]
        return candidates(self.question.query, [item.text for item in read])

    async def _choose(self, answer: str, why: str, context: Context, choices: Sequence[str]) -> Reading:
        """Among these phrases; the first answer where there are none."""
        if len(choices) < _FEWEST:
            return Reading(answer=answer, notes=tuple(self._notes))
        offered = f"One of: {'; '.join(map(neutral, choices))}; {_NONE}."
        schema = {
            "type": "object",
            "properties": {"answer": {"enum": [*choices, _NONE]}},
            "required": ["answer"],
            "additionalProperties": False,
        }
        try:
            raw = await self._ask(await self._fitted(context, offered), schema)
            choice = json.loads(raw)["answer"]
        except (ContextOverflowError, IncompleteAnswerError, ValueError, KeyError, TypeError):
            return Reading(answer=answer, notes=tuple(self._notes))
        where = "" if choices == _YES_OR_NO else " of the text"
        said = f"asked freely, the model said \u201c{answer[:120]}\u201d ({why})"
        if choice == _NONE or choice not in choices:
            note = Evidence("answer", passed=False, detail=f"{said}; of {len(choices)} phrases{where} it chose none")
            return Reading(answer=answer, notes=(*self._notes, note))
        note = Evidence("answer", passed=None, detail=f"{said}; this it chose of {len(choices)} phrases{where}")
        return Reading(answer=choice, notes=(*self._notes, note), chosen=True)

    async def _fitted(self, context: Context, offered: str) -> Fit:
        parts = [Part(block.text, priority) for priority, block in enumerate(context.blocks)]

        def build(texts: Sequence[str]) -> Sequence[Message]:
            numbered = [f"[{number}] {neutral(text)}" for number, text in enumerate(texts, start=1)]
            numbered.reverse()  # the best stands nearest to the question, where small models look
            known = "".join(f"Known from before: {neutral(text)}\n" for text in self.question.known)
            return render(
                "retrieval",
                passages="\n".join(numbered),
                known=known + _feedback(self.assignment),
                question="\n".join(filter(None, (self.question.text, offered))),
            )

        return await fit(parts, build, self.desk, ANSWER_TOKENS)

    async def _ask(self, prompt: Fit, schema: dict[str, Any] | None = None) -> str:
        again = self.assignment.attempt > 1
        response = await self.desk.chat(
            prompt.messages,
            schema=schema,
            max_completion_tokens=ANSWER_TOKENS,
            temperature=_AGAIN_TEMPERATURE if again and schema is None else 0.0,
            seed=self.assignment.attempt,
        )
        if schema is None and (cut := length_check(response.finish)) is not None:
            self._notes.append(cut)
        return response.text


def _feedback(assignment: Assignment) -> str:
    if not assignment.previous or not assignment.feedback:
        return ""
    return (
        f"An earlier answer failed its check ({assignment.feedback[0].detail}): {neutral(assignment.previous[:200])}\n"
    )
