"""Checks that every specialist shares: deterministic, no model asked. Each gives Evidence, or None for nothing to say.

What is particular to a specialist stays with it: tests (code_checks), quotes (quotes, proof), coverage and faithfulness
(summarization, support), the length asked for (length).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from nonet.runtimes import Finish
from nonet.runtimes.token_bound import is_common_word
from nonet.specialists.language import language_of
from nonet.specialists.protocol import Evidence, Outcome, Verdict
from nonet.specialists.text import degeneration

_NAMES_A_LANGUAGE = re.compile(
    r"\b(?:translat\w*|übersetz\w*|tradu\w*|vertaal\w*|english|german|french|spanish|italian|portuguese|dutch|chinese|"
    r"japanese|russian|arabic|korean|hindi|greek|latin|polish|turkish|swedish|language)\b",
    re.IGNORECASE,
)
_FIGURE = r"[$€£]?\s?\d+(?:,\d{3})*(?:\.\d+)?\s?%?"
_TIMES_OR_BY = "*/x\u00d7\u00f7"
_JOIN = rf"\s*[-+{_TIMES_OR_BY}]\s*"
_EQUATION = re.compile(
    rf"(?<![\d.,*/+^=(-])(?<![=+{_TIMES_OR_BY}-] )"
    rf"({_FIGURE}(?:{_JOIN}{_FIGURE})+)\s*=\s*(-?{_FIGURE})"
    rf"(?![\d^(]|\.\d|{_JOIN}[$€£(\d])"
)
_IN_WORDS = (
    (re.compile(r"\s+(?:times|multiplied by)\s+(?=\d)", re.IGNORECASE), " * "),
    (re.compile(r"\s+(?:plus|added to)\s+(?=\d)", re.IGNORECASE), " + "),
    (re.compile(r"\s+minus\s+(?=\d)", re.IGNORECASE), " - "),
    (re.compile(r"\s+divided by\s+(?=\d)", re.IGNORECASE), " / "),
    (re.compile(r"(?<=[\d%])\s+(?:is equal to|equals|is|makes|gives)\s+(?=[-$]?\d)", re.IGNORECASE), " = "),
)
_OPERATION = re.compile(rf"\s*([-+{_TIMES_OR_BY}])\s*")
_BEGINS_AS_JSON = re.compile(r"\s*(?:\{\s*\"|\[\s*[\[{\"])")
_ENDED = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019\u00bb)\]*_`]*\s*$")
_DECIMALS = re.compile(r"\.(\d+)")
_MOST_SHOWN = 2
_LETTERS = re.compile(r"[^\W\d_]+")
_SHORTEST_WORD = 3
_FEWEST_WORDS = 12
_LEAST_KNOWN = 0.2
"""Share of common words: prose has .7 and more, a list of names some, random letters next to none."""


def degeneration_check(text: str, request: str = "") -> Evidence | None:
    """Empty, a refusal, a loop of n-grams, or an echo of the request."""
    reason = degeneration(text, request)
    return Evidence("degeneration", passed=False, detail=reason) if reason else None


def length_check(finish: Finish) -> Evidence | None:
    """An answer that ran into its limit is not whole."""
    if finish is not Finish.LENGTH:
        return None
    return Evidence("length", passed=False, detail="the answer was cut at the model's limit")


def words_check(request: str, answer: str) -> Evidence | None:
    """Whether the answer to a plain English request is made of words at all, where there are enough to tell."""
    found = [word for word in _LETTERS.findall(answer) if len(word) >= _SHORTEST_WORD]
    if len(found) < _FEWEST_WORDS or language_of(answer) or language_of(request) not in (None, "English"):
        return None
    known = sum(map(is_common_word, found)) / len(found)
    if known >= _LEAST_KNOWN:
        return None
    return Evidence("degeneration", passed=False, detail=f"{known:.0%} of the answer's words are common ones")


def json_check(answer: str) -> Evidence | None:
    """An answer that begins as a JSON object or list and is none was broken off."""
    if not _BEGINS_AS_JSON.match(answer):
        return None
    try:
        json.JSONDecoder().raw_decode(answer.strip())
    except (ValueError, RecursionError):
        return Evidence("schema", passed=False, detail="the answer begins as JSON and is none")
    return None


def ending_check(text: str) -> Evidence | None:
    """Prose whose last sentence has no end may have been broken off, so that nobody can call it whole."""
    if _ENDED.search(text):
        return None
    return Evidence("length", passed=None, detail="the last sentence has no end: the answer may be broken off")


def names_a_language(request: str) -> bool:
    """Whether it may want an answer in another language than its own."""
    return _NAMES_A_LANGUAGE.search(request) is not None


def language_check(request: str, answer: str) -> Evidence | None:
    """Whether the answer is in the request's language, where both are plain and the request names none."""
    if names_a_language(request):
        return None
    asked, given = language_of(request), language_of(answer)
    if asked is None or given is None:
        return None
    same = asked == given
    detail = f"in {given}, as asked" if same else f"the request is in {asked}, the answer in {given}"
    return Evidence("language", passed=same, detail=detail)


def arithmetic_check(answer: str) -> Evidence | None:
    """Whether the sums that the answer writes out are right: "3 x 4 = 13" is not. They prove nothing more."""
    sums = list(_sums(answer))
    if not sums:
        return None
    wrong = [f"{said} is wrong, it is {right:.10g}" for said, right, holds in sums if not holds]
    if wrong:
        return Evidence("arithmetic", passed=False, detail="; ".join(wrong[:_MOST_SHOWN]))
    plural = "sum that is written out is" if len(sums) == 1 else "sums that are written out are"
    return Evidence("arithmetic", passed=True, detail=f"{len(sums)} {plural} right")


def _sums(text: str) -> Iterator[tuple[str, float, bool]]:
    """What is written, what it comes to, and whether that is what was said, to the decimals it was said with."""
    for pattern, sign in _IN_WORDS:
        text = pattern.sub(sign, text)
    for match in _EQUATION.finditer(text):
        right = _value(match.group(1))
        if right is None:
            continue
        said = _number(match.group(2))
        tolerance = 0.51 * 10.0 ** -_decimals(match.group(1), match.group(2))
        # "25% = 0.25" and "10% of 50" are written in too many ways to judge: percents are taken as either.
        holds = any(abs(right * factor - said) <= tolerance + 1e-9 for factor in _factors(match.group()))
        yield " ".join(match.group().split()), right, holds


def _decimals(expression: str, result: str) -> int:
    """To how many decimals the two sides can be compared: no more than figures that were rounded before have."""
    given = [len(found) for found in _DECIMALS.findall(expression)]
    said = max((len(found) for found in _DECIMALS.findall(result)), default=0)
    return min([said, *given])


def _factors(equation: str) -> tuple[float, ...]:
    return (1.0, 0.01, 100.0) if "%" in equation else (1.0,)


def _value(expression: str) -> float | None:
    """The value of figures joined by + - * /, by the usual precedence; None for a division by zero."""
    first, *rest = _OPERATION.split(expression.strip())
    terms = [_number(first)]
    for operator, figure in zip(rest[::2], rest[1::2], strict=True):
        number = _number(figure)
        if operator in "+-":
            terms.append(number if operator == "+" else -number)
        elif operator in "/\u00f7":
            if not number:
                return None
            terms[-1] /= number
        else:
            terms[-1] *= number
    return sum(terms)


def _number(figure: str) -> float:
    return float(re.sub(r"[^\d.-]", "", figure))


def with_checks(outcome: Outcome, request: str) -> Outcome:
    """The outcome of a specialist that made no check of its own, with those that any text can be put to."""
    if outcome.evidence or outcome.verdict is Verdict.FAILED:
        return outcome
    broken = degeneration_check(outcome.text)
    if broken is not None:
        return replace(outcome, verdict=Verdict.FAILED, evidence=(broken,))
    return replace(outcome, evidence=answer_checks(request, outcome.text))


def answer_checks(request: str, answer: str) -> tuple[Evidence, ...]:
    """The checks of any answer in prose that stands on its own."""
    found = (
        language_check(request, answer),
        arithmetic_check(answer),
        words_check(request, answer),
        json_check(answer),
    )
    return tuple(item for item in found if item is not None)
