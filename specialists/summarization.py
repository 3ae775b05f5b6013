"""Sums up: one call where the text fits the window, else a call a chunk and a tree of calls over their summaries.

Nothing is cut in silence (coverage is part of the evidence), and what cannot be worded by the model is extracted.
"""

from __future__ import annotations

from dataclasses import replace

from nonet.errors import ContextOverflowError, IncompleteAnswerError
from nonet.specialists.checks import ending_check
from nonet.specialists.coverage import CoverageReport, cover
from nonet.specialists.language import is_in, language_of
from nonet.specialists.length import Trimmed, enforce
from nonet.specialists.material import Material, read_material
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.quote_gate import Gated, gate_sources
from nonet.specialists.summary_answer import restates, unusable
from nonet.specialists.summary_calls import Attempt
from nonet.specialists.summary_extract import extracted, sections_check
from nonet.specialists.summary_forms import table
from nonet.specialists.summary_timeline import timeline
from nonet.specialists.support import all_there, faithfulness
from nonet.specialists.text import content_stems

_LEAST_OVERLAP = 0.6
"""Of the summary's words of weight, in the text, for `verified`. Of 1,000 human summaries 1 % reach it against another
text of their kind, and 0 % with their names and numbers there too; those of models against their own lie above 0.8."""
_LEAST_OF_A_SENTENCE = 0.4
"""The same for each sentence: one that is made up must not hide among faithful ones."""
_MOST_SAID = 2

_EXAMPLES = (
    "Summarize the report in three sentences.",
    "Give me a short summary of this article.",
    "Sum up the attached abstract in one sentence.",
    "Condense the meeting notes into five bullet points.",
    "What are the main points of the text?",
    "TL;DR of the document, please.",
    "Boil the chapter down to one paragraph.",
    "Shorten this text to at most 50 words.",
    "Write an overview of what the paper found.",
    "Recap the discussion about the budget.",
    "What is the gist of the letter?",
    "Summarize the plot of the story.",
    "What did the committee decide, in brief?",
    "Describe the main character and the setting of the story.",
    "Combine the two summaries into one short paragraph.",
    "Turn these notes into a brief digest.",
    "Explain in a few lines what the document says.",
)


class SummarizationSpecialist:
    """Summaries that say how much of the text they cover and whether the text bears them out."""

    name = "summarization"
    description = "sums up texts of any length, and says what the summary covers"
    examples = _EXAMPLES

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One attempt. No text to sum up is FAILED; a degenerate answer is replaced by an extract, unverified."""
        material = read_material(assignment)
        if not material.sources:
            detail = "no text to sum up: the subtask reads nothing and the request holds no text"
            return Outcome("", Verdict.FAILED, (Evidence("coverage", passed=False, detail=detail),))
        outcome = _in_language(await self._summarized(material, assignment, desk), material)
        told = [Evidence("options", passed=None, detail=note) for note in material.notes]
        if material.wish.corrected:
            told.append(Evidence("length", passed=None, detail=material.wish.corrected))
        return replace(outcome, evidence=(*told, *outcome.evidence))

    async def _summarized(self, material: Material, assignment: Assignment, desk: Desk) -> Outcome:
        if material.options.form in ("table", "comparison"):
            return await table(material, assignment, desk, material.options.form)
        if material.options.form != "timeline":
            return await self._in_prose(material, assignment, desk)
        if (dated := timeline(material)) is not None:
            return dated
        summary = await self._in_prose(material, assignment, desk)
        detail = "no timeline: fewer than two sentences of the text have a date; this is a summary"
        return replace(summary, evidence=(Evidence("form", passed=None, detail=detail), *summary.evidence))

    async def _in_prose(self, material: Material, assignment: Assignment, desk: Desk) -> Outcome:
        attempt = Attempt(material, assignment, desk)
        try:
            raw = await attempt.summarize()
        except (ContextOverflowError, IncompleteAnswerError) as error:
            detail = f"the model gave no summary: {error.message}"
            return await extracted(attempt, Evidence("call", passed=False, detail=detail))
        language = material.options.language
        reason = unusable(raw, material.text, material.request, language=language)
        if not reason and language is None and not assignment.instruction.rstrip().endswith("?"):  # "Yes." answers it
            asked = {stem for source in assignment.sources for stem in content_stems(source.asked)}
            reason = restates(raw, material.text, material.focus | asked, answers=bool(material.question))
        if reason:
            return await extracted(attempt, Evidence("degeneration", passed=False, detail=reason))
        return await _judged(attempt, *_quoted(raw, material))


def _quoted(raw: str, material: Material) -> tuple[Trimmed, Gated]:
    """The answer in the length asked for, with no quote that is not in the text."""
    trimmed = enforce(raw, material.wish)
    gated = gate_sources(trimmed.text, material.sources, material.request)
    if not gated.replaced:
        return replace(trimmed, text=gated.text), gated
    again = enforce(gated.text, material.wish)  # the text's own sentence may be longer than what was made of it
    return Trimmed(again.text, tuple(dict.fromkeys((*trimmed.evidence, *again.evidence)))), gated


def _in_language(outcome: Outcome, material: Material) -> Outcome:
    """Told where a summary is not plainly in the language that was asked for: then it is not verified."""
    language = material.options.language
    if language is None or not outcome.text:
        return outcome
    is_so = is_in(outcome.text, language)
    if is_so is None and outcome.verdict is Verdict.VERIFIED:  # its words are the text's
        is_so = is_in(material.text, language)
    if is_so:
        return outcome
    given = language_of(outcome.text)
    detail = (
        f"asked for in {language}, given in {given}" if is_so is False else f"whether it is in {language} is not plain"
    )
    verdict = Verdict.UNVERIFIED if outcome.verdict is Verdict.VERIFIED else outcome.verdict
    told = Evidence("language", passed=None, detail=detail)
    return replace(outcome, verdict=verdict, evidence=(*outcome.evidence, told))


async def _judged(attempt: Attempt, trimmed: Trimmed, quoted: Gated) -> Outcome:
    report = cover(trimmed.text, attempt.material)
    if attempt.material.options.language is None and 2 * len(report.flagged) > len(report.basis):
        said = "; ".join(
            f"{', '.join(item.missing)} in \u201c{item.sentence[:80]}\u201d" for item in report.flagged[:3]
        )
        detail = f"most of the answer's sentences have numbers or names that are not in the text: {said}"
        return await extracted(attempt, Evidence("support", passed=False, detail=detail))
    if attempt.fitted and attempt.material.options.language is None and 2 * len(report.unfounded) > len(report.basis):
        detail = f"no place of the text says even half of \u201c{report.unfounded[0].sentence[:80]}\u201d"
        return await extracted(attempt, Evidence("places", passed=False, detail=detail))
    language = attempt.material.options.language
    faith = faithfulness(trimmed.text, attempt.material.text, translated=language is not None)
    unsupported = ", ".join([*faith.missing_numbers, *faith.missing_names][:8])
    support = f"not in the text: {unsupported}" if unsupported else all_there(trimmed.text, "the text", language)
    shares = f"{faith.overlap:.0%} of the summary's words of weight are in the text"
    overlap = f"{shares}, {faith.weakest:.0%} in its weakest sentence"
    borne_out = faith.overlap >= _LEAST_OVERLAP and faith.weakest >= _LEAST_OF_A_SENTENCE
    checks = [
        attempt.coverage(),
        sections_check(report),
        Evidence("support", passed=not unsupported, detail=support),
        _overlap(attempt, borne_out=borne_out, detail=overlap),
        _places(report, attempt),
        *quoted.evidence(),
        *trimmed.evidence,
    ]
    open_end = ending_check(trimmed.text) if attempt.material.wish.bullets is None else None
    checks += [open_end] if open_end is not None else []
    compared = all(check.passed is not None for check in checks if check.kind in {"coverage", "overlap", "places"})
    whole = open_end is None and attempt.spent is None
    verified = quoted.sound and whole and compared and all(check.passed is not False for check in checks)
    verdict = Verdict.VERIFIED if verified else Verdict.UNVERIFIED
    return Outcome(trimmed.text, verdict, (*attempt.history(), *checks), quoted.citations, attempt.data(report))


def _overlap(attempt: Attempt, *, borne_out: bool, detail: str) -> Evidence:
    """In another language than the text's, words that are not in it say nothing; nor do extracts that stand in."""
    language = attempt.material.options.language
    if language is None or (borne_out and not attempt.extracted and attempt.spent is None):
        return Evidence("overlap", passed=borne_out, detail=detail)
    return Evidence("overlap", passed=None, detail=f"in {language} it cannot be compared with the text")


def _places(report: CoverageReport, attempt: Attempt) -> Evidence:
    """Whether every sentence says what one place of the text says; else it may be right, but is not proved.

    That is a doubt for a larger model to settle, once, where it takes one call. To read a long text again is dear.
    """
    if not report.loose:
        return Evidence("places", passed=True, detail="every sentence stands on one place of the text")
    said = "; ".join(f"\u201c{item.sentence[:80]}\u201d" for item in report.loose[:_MOST_SAID])
    asked_before = any(item.kind == "places" for item in attempt.assignment.feedback)
    settles = attempt.fitted and not asked_before and attempt.material.options.language is None
    return Evidence("places", passed=False if settles else None, detail=f"no one place of the text says {said}")
