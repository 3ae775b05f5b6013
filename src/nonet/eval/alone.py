"""One model without nonet: one greedy call with everything in its prompt, or as many samples as nonet had tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from nonet.errors import IncompleteAnswerError
from nonet.eval.grading import run_tests, token_f1
from nonet.eval.items import Answer, Item, UnitTests
from nonet.graphs.result import RunUsage
from nonet.runtimes import ChatRequest, ChatResponse, Finish, Message
from nonet.specialists.code_request import read_request

if TYPE_CHECKING:
    from nonet.eval.arms import Arm

TEMPERATURE: Final = 0.8
"""Of all samples but the first, which is greedy."""
MOST_SAMPLES: Final = 64
_CHARACTERS_A_TOKEN: Final = 8
"""No text has more on average: what is longer is not even counted."""


async def alone(arm: Arm, item: Item) -> Answer:
    """One greedy call: the documents, then the request.

    Where they do not fit the window, the collection is left out, and what comes with the request is cut at its end.
    """
    prompt = await _prompt(arm, item)
    response = await _sample(arm, prompt, temperature=0.0, seed=0)
    return Answer(response.text, usage=usage_of([response]), facts=prompt.facts)


async def best_of(arm: Arm, item: Item, budget_tokens: int, seed: int) -> Answer:
    """Samples of the same prompt while another fits the budget, at least one; then one of them is chosen.

    Another fits where one of the mean size would; it is cut where the budget ends, and is then not chosen.

    The first is greedy, the others are drawn at a temperature of 0.8. Where the request shows tests, the first sample
    that passes them is taken; else, and where none passes, the one that agrees most with the others (mean F1 of words:
    self-consistency for answers that are not one number). Of equals the earlier.
    """
    prompt = await _prompt(arm, item)
    samples = [await _sample(arm, prompt, temperature=0.0, seed=0)]
    while len(samples) < MOST_SAMPLES:
        spent = sum(_tokens(each) for each in samples)
        if spent + spent / len(samples) > budget_tokens:
            break
        room = budget_tokens - spent - samples[0].usage.prompt_tokens
        shorter = replace(prompt, most_tokens=min(prompt.most_tokens, room))
        try:
            samples.append(await _sample(arm, shorter, temperature=TEMPERATURE, seed=seed + len(samples)))
        except IncompleteAnswerError:  # an empty one: what there is stands
            break
    texts = [each.text for at, each in enumerate(samples) if at == 0 or each.finish is not Finish.LENGTH]
    chosen, how = await _choose(arm, item, texts)
    facts = {**prompt.facts, "samples": len(samples), "chosen": chosen, "by": how, "budget_tokens": budget_tokens}
    return Answer(texts[chosen], usage=usage_of(samples), facts=facts)


async def _choose(arm: Arm, item: Item, texts: Sequence[str]) -> tuple[int, str]:
    """Which of the samples is taken, and by what."""
    shown = UnitTests((), tuple(test.source for test in read_request(item.request).tests))
    if shown.after and len(texts) > 1:
        for place, text in enumerate(texts):
            if await run_tests(shown, text, arm.session.sandbox()):
                return place, "the tests of the request"
    agreement = [sum(token_f1(text, other) for other in texts) for text in texts]
    return agreement.index(max(agreement)), "agreement"


@dataclass(frozen=True, slots=True)
class _Prompt:
    model: str
    text: str
    most_tokens: int
    facts: Mapping[str, Any]


async def _prompt(arm: Arm, item: Item) -> _Prompt:
    model = arm.model(item.specialist)
    most = arm.session.settings.max_completion_tokens
    room = await arm.session.window_tokens(model) - most
    everything = {**item.documents, **item.collection}
    facts: dict[str, Any] = {}
    text = _shown(everything) + item.request
    if everything and not await _fits(arm, model, text, room):
        if item.collection:
            facts["left_out"] = len(item.collection)
        text, cut = await _cut(arm, model, item, room)
        if cut:
            facts["cut_to_words"] = cut
    return _Prompt(model, text, most, facts)


def _shown(documents: Mapping[str, str]) -> str:
    return "".join(f"{name}:\n{text}\n\n" for name, text in documents.items())


async def _fits(arm: Arm, model: str, text: str, room: int) -> bool:
    if len(text) > room * _CHARACTERS_A_TOKEN:
        return False
    count = await arm.session.runtime.count_tokens(model, [Message("user", text)])
    return count.tokens <= room


async def _cut(arm: Arm, model: str, item: Item, room: int) -> tuple[str, int]:
    """The request behind as many words of its documents as fit, and how many those are (0: all)."""
    shown = _shown(item.documents)
    words = shown.split()
    if not words or await _fits(arm, model, shown + item.request, room):
        return shown + item.request, 0
    keep = min(len(words), room)  # hardly any word is less than a token
    while keep > 1 and not await _fits(arm, model, f"{' '.join(words[:keep])}\n\n{item.request}", room):
        keep = int(keep * 0.9)
    return f"{' '.join(words[:keep])}\n\n{item.request}", keep


async def _sample(arm: Arm, prompt: _Prompt, *, temperature: float, seed: int) -> ChatResponse:
    request = ChatRequest(
        prompt.model,
        (Message("user", prompt.text),),
        max_completion_tokens=prompt.most_tokens,
        temperature=temperature,
        seed=seed,
    )
    return await arm.session.scheduler.chat(request)


def _tokens(response: ChatResponse) -> int:
    return response.usage.prompt_tokens + response.usage.completion_tokens


def usage_of(responses: Sequence[ChatResponse]) -> RunUsage:
    """What calls cost together, as a run counts it."""
    joules = [each.trip.joules for each in responses]
    return RunUsage(
        calls=len(responses),
        prompt_tokens=sum(each.usage.prompt_tokens for each in responses),
        completion_tokens=sum(each.usage.completion_tokens for each in responses),
        seconds=sum(each.usage.seconds for each in responses),
        swaps=sum(bool(each.trip.pushed_out) for each in responses),
        joules=sum(each for each in joules if each is not None) if any(joules) else None,
    )
