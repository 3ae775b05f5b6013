"""Tries until the tests pass or the calls are spent: write, repair from what failed, sample others; keeps the best.

A small model that repairs repeats its mistake more often than not, and its samples differ: so one repair, then the
request without a word of ours (some models solve only what they may explain first, and none may be worse off here than
alone), then samples at a temperature. Where a call is dear (a slow model), one sample. What passes a single test only
after others failed it is doubted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from nonet.errors import NonetError, ResourceError, StoreError
from nonet.runtimes import Finish
from nonet.specialists.budget import Fit
from nonet.specialists.code_agreement import SecondLook
from nonet.specialists.code_drafts import Drafts
from nonet.specialists.code_prompt import ANSWER_TOKENS, Wrong
from nonet.specialists.protocol import Desk, Evidence, Outcome, Verdict

SAMPLE_TEMPERATURE = 0.8
_CHEAP_SECONDS = 30.0
"""A first answer that took no longer is cheap enough for all the samples."""
_SEEDS_AN_ATTEMPT = 100

Judge = Callable[[str], Awaitable[Outcome]]
"""From an answer to what it proves."""
Luck = Callable[[int], Evidence | None]
"""What speaks against an answer that is the first of so many to pass."""
Prompt = Callable[[Wrong | None], Awaitable[tuple[Fit, list[Evidence]]]]
"""What to ask, after nothing or after what was wrong, and what did not fit into it."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How many calls one attempt may make. Every one is counted by the desk."""

    repairs: int = 1
    samples: int = 4
    dear_samples: int = 1
    """Where a call takes long."""
    second_looks: int = 2
    """Where one test was passed only after others failed it: at most so many more answers, one of which has to do the
    same as it on other calls. See docs/code.md for what that was measured to be worth."""
    unproved_samples: int = 0
    """Where the request gives no test: so many more answers, chosen by tests that the model drafts. See docs/code.md
    for what that was measured to be worth."""


@dataclass(frozen=True, slots=True)
class _Try:
    answer: str
    outcome: Outcome
    how: str


class Loop:
    """One attempt of a subtask: the calls to one model, and the best of what came of them."""

    def __init__(
        self,
        desk: Desk,
        prompt: Prompt,
        judge: Judge,
        tries: Tries,
        *,
        plain: Prompt | None = None,
        drafts: Drafts | None = None,
        luck: Luck | None = None,
        second_look: SecondLook | None = None,
        attempt: int,
        whole: bool,
        plain_first: bool = False,
    ) -> None:
        """`plain`: asks the bare request. `whole`: an answer that was cut is worth nothing, unless it passes.

        `plain_first`: begins with the bare request, so that where no test can choose none is worse off than alone.
        """
        self._desk = desk
        self._prompt = prompt
        self._plain = plain
        self._judge = judge
        self._attempt = attempt
        self._whole = whole
        self._plain_first = plain_first and plain is not None
        self._most = tries
        self._drafts = drafts
        self._luck = luck
        self._second_look = second_look
        self._sampled = 0
        self._chosen: _Try | None = None
        self._tries: list[_Try] = []
        self._cheap = True

    async def run(self) -> Outcome:
        """The best outcome, with what was tried as evidence. Raises CallError if not even one answer came."""
        try:
            await self._first()
            await self._repair()
            await self._as_asked()
            await self._sample()
            await self._look_again()
            await self._choose_by_drafts()
        except NonetError as error:
            if not self._tries or isinstance(error, ResourceError | StoreError):
                raise
            note = Evidence("call", passed=None, detail=f"no further try: {error.message}")
            return self._told(note)
        return self._told()

    @property
    def _done(self) -> bool:
        """Nothing to win: it passed, or nothing can be checked that another try could pass."""
        return bool(self._tries) and best(self._tries).outcome.verdict is not Verdict.FAILED

    async def _first(self) -> None:
        # Greedy at first; asked again by the ladder, the same would come back word for word.
        if self._attempt == 1:
            await self._ask("first answer", temperature=0.0, seed=0, prompt=self._plain if self._plain_first else None)

    async def _repair(self) -> None:
        for number in range(1, self._most.repairs + 1):
            if self._done or not self._tries:
                return
            last = self._tries[-1]
            findings = tuple(item.detail for item in last.outcome.evidence if item.passed is False)
            await self._ask(f"repair {number}", temperature=0.0, seed=0, wrong=Wrong(last.answer, findings))

    async def _as_asked(self) -> None:
        if self._plain is None or self._attempt > 1 or not self._tries or self._done:
            return
        if self._plain_first:
            await self._ask("short answer", temperature=0.0, seed=0)
        else:
            await self._ask("request alone", temperature=0.0, seed=0, prompt=self._plain)

    async def _sample(self) -> None:
        for _ in range(self._most.samples if self._cheap else self._most.dear_samples):
            if self._done:
                return
            await self._another()

    async def _another(self) -> None:
        self._sampled += 1
        seed = self._sampled + _SEEDS_AN_ATTEMPT * (self._attempt - 1)
        await self._ask(f"sample {self._sampled}", temperature=SAMPLE_TEMPERATURE, seed=seed)

    async def _look_again(self) -> None:
        """Of a single test, a late pass is doubted unless another answer that passes does the same elsewhere."""
        look, passed = self._second_look, self._passing
        if look is None or not look.wanted or not passed or self._tries[0] in passed:
            return
        most = self._most.second_looks
        for left in range(most if self._cheap else min(most, self._most.dear_samples), -1, -1):
            passed = self._passing
            index, seen = await look.choose(
                [str(tried.outcome.data.get("code", "")) for tried in passed], len(self._tries)
            )
            if seen.passed or not left:
                break
            if self._plain is not None and not any(tried.how == "request alone" for tried in self._tries):
                await self._ask("request alone", temperature=0.0, seed=0, prompt=self._plain)
            else:
                await self._another()
        noted = _with_notes(passed[index].outcome, [seen])
        self._chosen = replace(
            passed[index], outcome=noted if seen.passed else replace(noted, verdict=Verdict.UNVERIFIED)
        )

    @property
    def _passing(self) -> list[_Try]:
        return [tried for tried in self._tries if tried.outcome.verdict is Verdict.VERIFIED]

    async def _choose_by_drafts(self) -> None:
        drafts, number = self._drafts, self._most.unproved_samples
        unproved = len(self._tries) == 1 and self._tries[0].outcome.verdict is Verdict.UNVERIFIED
        if not (unproved and number and drafts is not None and drafts.wanted):
            return
        tests = await drafts.draft()
        scores = [await drafts.passed(self._tries[0].outcome)]
        for seed in range(1, number + 1 if tests else 0):
            if max(scores) == tests:
                break
            await self._ask(f"sample {seed}", temperature=SAMPLE_TEMPERATURE, seed=seed)
            usable = self._tries[-1].outcome.verdict is not Verdict.FAILED
            scores.append(await drafts.passed(self._tries[-1].outcome) if usable else -1)
        self._chosen = self._tries[scores.index(max(scores))]
        if tests:
            detail = f"of {tests} tests that the model drafted from the request it passes {max(scores)}: no proof"
            noted = _with_notes(self._chosen.outcome, [Evidence("drafts", passed=None, detail=detail)])
            self._chosen = replace(self._chosen, outcome=noted)

    async def _ask(
        self, how: str, *, temperature: float, seed: int, wrong: Wrong | None = None, prompt: Prompt | None = None
    ) -> None:
        built, notes = await (prompt or self._prompt)(wrong)
        room = self._desk.window_tokens - built.tokens
        response = await self._desk.chat(
            built.messages,
            max_completion_tokens=max(1, min(ANSWER_TOKENS, room)),
            temperature=temperature,
            seed=seed,
        )
        self._cheap = self._cheap and response.usage.seconds - response.usage.load_seconds <= _CHEAP_SECONDS
        seen = next((tried for tried in self._tries if tried.answer == response.text), None)
        outcome = seen.outcome if seen else await self._judge(response.text)
        if response.finish is Finish.LENGTH:
            outcome = self._cut(outcome)
        outcome = self._doubted(outcome)
        self._tries.append(_Try(response.text, _with_notes(outcome, notes), how))

    def _doubted(self, outcome: Outcome) -> Outcome:
        """Passing at the first try says more than being the one of many that passed, and yes or no says little."""
        number = len(self._tries) + self._attempt
        if outcome.verdict is not Verdict.VERIFIED or self._luck is None:
            return outcome
        doubt = self._luck(number)
        return replace(_with_notes(outcome, [doubt]), verdict=Verdict.UNVERIFIED) if doubt else outcome

    def _cut(self, outcome: Outcome) -> Outcome:
        """Of a program in Python the whole statements are kept and tested; elsewhere nobody knows what is missing."""
        usable = not self._whole or outcome.verdict is Verdict.VERIFIED
        note = Evidence("length", passed=None if usable else False, detail="the answer was cut at the limit")
        return _with_notes(outcome if usable else replace(outcome, verdict=Verdict.FAILED), [note])

    def _told(self, *notes: Evidence) -> Outcome:
        chosen = self._chosen or best(self._tries)
        calls = len(self._tries)
        told = [*notes]
        if calls > 1:
            share = f"the best of {calls} answers: the {chosen.how}"
            told.append(Evidence("tries", passed=None, detail=share))
        data = {**chosen.outcome.data, "tries": [f"{tried.how}: {tried.outcome.verdict}" for tried in self._tries]}
        return replace(_with_notes(chosen.outcome, told), data=data)


def best(tries: list[_Try]) -> _Try:
    """By verdict, then by tests passed, then by what speaks against it; the earliest of equals."""
    return max(tries, key=lambda tried: _merit(tried.outcome))


def _merit(outcome: Outcome) -> tuple[int, int, int]:
    order = (Verdict.FAILED, Verdict.UNVERIFIED, Verdict.VERIFIED)
    passed = sum(item.kind == "tests" and item.passed is True for item in outcome.evidence)
    failed = sum(item.passed is False for item in outcome.evidence)
    return order.index(outcome.verdict), passed, -failed


def _with_notes(outcome: Outcome, notes: list[Evidence]) -> Outcome:
    return replace(outcome, evidence=(*outcome.evidence, *notes)) if notes else outcome
