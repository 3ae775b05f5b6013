"""What the model is shown: the request, what it builds on as far as it fits, and what was wrong with its last try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nonet.runtimes import Message
from nonet.specialists.budget import Fit, Part, fit, split_chars
from nonet.specialists.code_request import CodeRequest
from nonet.specialists.protocol import Assignment, Desk, Evidence, Source
from nonet.specialists.templates import render
from nonet.specialists.text import content_stems

ANSWER_TOKENS = 768
"""The most an answer may take; half of a small window. Functions of the public sets take some 60 to 250."""
_PART_CHARS = (300, 900)
"""A source that does not fit whole is offered in parts of about this size."""
_FINDINGS_CHARS = 1200
_SUMMARY_CHARS = 400
"""Of what was wrong with another model's answers, which is told with the request."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A try that failed: the answer, and what was found."""

    answer: str
    findings: tuple[str, ...]


async def build_prompt(
    assignment: Assignment, request: CodeRequest, desk: Desk, wrong: Wrong | None = None, *, plain: bool = False
) -> tuple[Fit, list[Evidence]]:
    """The prompt, and what did not fit into it. Raises ContextOverflowError.

    Args:
        assignment: the request, and what it builds on.
        request: the same, read.
        desk: counts the tokens.
        wrong: the try to repair.
        plain: without a word of ours.
    """
    answer_tokens = min(ANSWER_TOKENS, desk.window_tokens // 2)
    build = _builder(assignment, request, wrong, plain=plain)
    whole = [Part(_shown(source.name, source.text), priority=1) for source in assignment.sources]
    fitted = await fit(whole, build, desk, answer_tokens)
    if not fitted.dropped:
        return fitted, []
    parts = _ranked_parts(assignment.sources, assignment.instruction)
    fitted = await fit([Part(text, priority) for text, priority in parts], build, desk, answer_tokens)
    read = f"{len(fitted.kept)} of {len(parts)} parts of {', '.join(source.name for source in assignment.sources)}"
    detail = f"only {read} fit the window; the most relevant were taken"
    return fitted, [Evidence("coverage", passed=False, detail=detail)]


def _builder(
    assignment: Assignment, request: CodeRequest, wrong: Wrong | None, *, plain: bool
) -> Callable[[Sequence[str]], tuple[Message, ...]]:
    def build(texts: Sequence[str]) -> tuple[Message, ...]:
        material = "".join(f"{text}\n\n" for text in texts)
        if plain:
            return (Message("user", material + assignment.instruction),)
        asked = assignment.instruction + _failed_before(assignment)
        if request.language == "python":
            first = render("code", material=material, request=asked)
        else:
            first = render("code_other", material=material, request=asked, language=request.language)
        if wrong is None:
            return first
        findings = "\n".join(f"- {text}" for text in wrong.findings)[:_FINDINGS_CHARS]
        repair = render("code_repair", findings=findings, request=assignment.instruction, language=request.language)
        return (*first, Message("assistant", wrong.answer), *repair)

    return build


def _failed_before(assignment: Assignment) -> str:
    """What was wrong with the answers of models tried before, for a model that is asked for the first time."""
    findings = [item.detail for item in assignment.feedback if item.passed is False]
    if assignment.attempt > 1 or not findings:
        return ""
    told = "; ".join(findings)
    if len(told) > _SUMMARY_CHARS:
        told = f"{told[:_SUMMARY_CHARS]}\u2026"
    return f"\n\nEarlier answers did not pass their checks: {told}"


def _shown(name: str, text: str) -> str:
    return f"{name}:\n{text.strip()}"


def _ranked_parts(sources: Sequence[Source], instruction: str) -> list[tuple[str, int]]:
    """(text, priority) in the order of the text; those that share most words with the request come first."""
    asked = set(content_stems(instruction))
    parts = [
        (source.name, source.text[start:end])
        for source in sources
        for start, end in split_chars(source.text, _PART_CHARS)
    ]
    scores = [len(asked & set(content_stems(text))) for _, text in parts]
    order = sorted(range(len(parts)), key=lambda index: -scores[index])
    ranks = {index: rank for rank, index in enumerate(order, start=1)}
    return [(_shown(name, text), ranks[index]) for index, (name, text) in enumerate(parts)]
