"""What an answer is worth: the same for every way of answering, from the answer alone."""

from __future__ import annotations

import math
import re
import secrets
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nonet.eval.items import Alike, Answer, Answers, Check, Graph, Item, Label, References, Relevant, UnitTests
from nonet.eval.libraries import bleu, chrf, rouge, search_measures
from nonet.eval.plans import compare_plans
from nonet.specialists import Sandbox
from nonet.specialists.text import sentences

ROUGE_PASS: Final = 0.2
"""ROUGE-1 F1 against the best reference from which the summary of a whole task passes."""
TEST_SECONDS: Final = 15.0
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")

Scores = dict[str, float]


async def grade(item: Item, answer: Answer, sandbox: Sandbox | None) -> Scores:
    """Scores by metric. A task of several checks passes when all of them do.

    Args:
        sandbox: runs code; needed where an item has tests.
    """
    each = [await _one(check, answer, sandbox) for check in item.checks]
    if item.specialist or not isinstance(item.checks[0], UnitTests | Answers | References):
        return each[0]
    passed = [_passes(scores) for scores in each]
    merged = {"passed": float(all(passed)), "checks": sum(passed) / len(passed)}
    for scores in each:
        merged.update((name, score) for name, score in scores.items() if name == "rouge1")
    return merged


def _passes(scores: Mapping[str, float]) -> bool:
    if "rouge1" in scores:
        return scores["rouge1"] >= ROUGE_PASS
    return scores.get("passed", scores.get("right", 0.0)) >= 1.0


async def _one(check: Check, answer: Answer, sandbox: Sandbox | None) -> Scores:
    match check:
        case UnitTests():
            return {"passed": await run_tests(check, answer.text, sandbox)}
        case Answers():
            return _found(check, answer)
        case References():
            return _compared(check, answer.text)
        case _:
            return _of_facts(check, answer)


def _compared(check: References, text: str) -> Scores:
    if check.metric == "translation":
        return {"chrf": chrf([text], [check.texts]) / 100, "bleu": bleu([text], [check.texts]) / 100}
    if check.metric == "rouge1-any":
        return {"rouge1": best_rouge(prose_of(text), check.texts)}
    return rouge(text, check.texts)


def _of_facts(check: Check, answer: Answer) -> Scores:
    facts = answer.facts
    match check:
        case Label():
            right = float(answer.text == check.specialist)
            return {"right": right} if check.has_cue else {"right": right, "right_without_cue": right}
        case Graph():
            edges = [(a, b) for a, b in facts.get("edges", ())]
            return compare_plans(facts.get("nodes", ()), edges, check)
        case Relevant():
            return search_measures(facts.get("ranking", ()), check.gains)
        case Alike():
            return alike(facts.get("variants", ()))
        case _:
            return likelihood([facts])


def code_of(text: str) -> list[str]:
    """What may be the code of an answer: its blocks together, its first block; all of it where there is none."""
    blocks = [match[1] for match in _FENCE.finditer(text)]
    return list(dict.fromkeys(["\n\n".join(blocks), blocks[0]])) if blocks else [text]


def prose_of(text: str) -> str:
    """The answer without its code blocks."""
    return _FENCE.sub("", text)


async def run_tests(tests: UnitTests, text: str, sandbox: Sandbox | None) -> float:
    """1 where some reading of the answer's code passes; an example after the code is not held against it."""
    if sandbox is None or not text.strip():
        return 0.0
    for code in code_of(text):
        mark = secrets.token_hex(8)  # code that prints what a pass prints has not passed
        program = "\n".join([*tests.before, code, "", *tests.after, f"print({mark!r})"])
        result = await sandbox.run(program, timeout_seconds=TEST_SECONDS)
        if result.exit_status == 0 and result.stdout.rstrip().endswith(mark):
            return 1.0
    return 0.0


def _found(check: Answers, answer: Answer) -> Scores:
    text = prose_of(answer.text)
    if check.in_code:
        text = f"{text} {' '.join(code_of(answer.text))}"
    quotes = " ".join(answer.facts.get("quotes", ()))
    return {
        "right": float(any(holds(text, wanted) for wanted in check.answers)),
        "exact": float(any(plain(answer.text) == plain(wanted) for wanted in check.answers)),
        "f1": max((token_f1(answer.text, wanted) for wanted in check.answers), default=0.0),
        "quoted": float(any(holds(quotes, wanted) for wanted in check.answers)),
    }


def holds(text: str, wanted: str) -> bool:
    """Whether the wanted words stand in the text in a row, as SQuAD compares them."""
    return bool(plain(wanted)) and f" {plain(wanted)} " in f" {plain(text)} "


def plain(text: str) -> str:
    """As SQuAD compares answers (Rajpurkar et al. 2016): lower case, no punctuation, no articles.

    >>> plain("The  pump's number: HL-3318.")
    'pump s number hl 3318'
    """
    kept = "".join(" " if character in string.punctuation else character for character in text.lower())
    return " ".join(_ARTICLES.sub(" ", kept).split())


def token_f1(text: str, wanted: str) -> float:
    """F1 of the words, as SQuAD compares answers."""
    given, needed = plain(text).split(), plain(wanted).split()
    common = sum((Counter(given) & Counter(needed)).values())
    return 2 * common / (len(given) + len(needed)) if common else 0.0


def best_rouge(prose: str, references: Sequence[str]) -> float:
    """ROUGE-1 of the whole, of any paragraph and of any sentence: no arm loses by what stands around its summary."""
    return max((rouge(piece, references)["rouge1"] for piece in _pieces(prose)), default=0.0)


def _pieces(prose: str) -> Iterator[str]:
    yield prose
    for paragraph in filter(str.strip, prose.split("\n\n")):
        yield paragraph
        yield from (paragraph[span.start : span.end] for span in sentences(paragraph))


def alike(variants: Sequence[Mapping[str, Any]]) -> Scores:
    """Whether all wordings were planned alike, and their answers judged alike."""
    planned = len({str(variant["plan"]) for variant in variants}) == 1
    judged = len({variant["verdict"] for variant in variants}) == 1
    return {"alike": float(planned and judged), "planned_alike": float(planned), "verdict_alike": float(judged)}


def likelihood(texts: Sequence[Mapping[str, Any]]) -> Scores:
    """Bits a byte, which compares models of different tokens, and perplexity a token; of all the texts together."""
    nats, tokens, size = (sum(float(each.get(name, 0)) for each in texts) for name in ("nats", "tokens", "bytes"))
    if not tokens or not size:
        return {}
    return {"bits_per_byte": nats / math.log(2) / size, "perplexity": math.exp(nats / tokens)}
