"""Sums up: one call where the text fits the window, else a call a chunk and a tree of calls over their summaries.

Nothing is cut in silence (coverage is part of the evidence), and what cannot be worded by the model is extracted.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from nonet.errors import ContextOverflowError, IncompleteAnswerError
from nonet.runtimes import ChatResponse, Finish, Message
from nonet.specialists.budget import batches, covered, prompt_room, split_tokens
from nonet.specialists.checks import ending_check
from nonet.specialists.extract import extract
from nonet.specialists.length import Trimmed, enforce
from nonet.specialists.material import Material, read_material
from nonet.specialists.protocol import Assignment, Citation, Desk, Evidence, Outcome, Verdict
from nonet.specialists.support import faithfulness
from nonet.specialists.templates import render
from nonet.specialists.text import Span, degeneration, neutral, sentences, words

_MAP_TOKENS = 140
"""Two or three sentences of a chunk."""
_SMALLEST_SHARE = 4
"""The answer takes at most this part of the window, so that summaries of chunks always fit together by threes."""
_LEAST_OVERLAP = 0.6
"""Of the summary's words of weight, in the text, for `verified`. Of 1,000 human summaries 1 % reach it against another
text of their kind, and 0 % with their names and numbers there too; those of models against their own lie above 0.8."""
_LEAST_OF_A_SENTENCE = 0.4
"""The same for each sentence: one that is made up must not hide among faithful ones."""
_BESIDE_THE_POINT = 0.5
"""Below this overlap the summary speaks of something else ("the text sums up the main ideas of the article"), or in
another language than the text."""
_AGAIN_TEMPERATURE = 0.6
"""For a further attempt: greedy, the same model says the same again."""
_COPY_SHARE = 0.9
_SHORT_SOURCE_WORDS = 60
_LABEL_WORDS = 16

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

Result = TypeVar("Result")


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
        attempt = _Attempt(material, assignment, desk)
        try:
            raw = await attempt.summarize()
        except (ContextOverflowError, IncompleteAnswerError) as error:
            detail = f"the model gave no summary: {error.message}"
            return _extracted(attempt, Evidence("call", passed=False, detail=detail))
        if reason := _unusable(raw, material.text, material.request):
            return _extracted(attempt, Evidence("degeneration", passed=False, detail=reason))
        return _judged(attempt, enforce(raw, material.wish))


@dataclass(slots=True)
class _Attempt:
    """One summary under way."""

    material: Material
    assignment: Assignment
    desk: Desk
    chunks: list[tuple[int, int]] = field(default_factory=list)
    notes: list[Evidence] = field(default_factory=list)
    extracted: list[str] = field(default_factory=list)
    """Why parts were extracted instead of summed up."""

    async def summarize(self) -> str:
        """The model's summary of the whole text."""
        text = self.material.text
        room = prompt_room(self.desk.window_tokens, self._answer_tokens)
        final = self._final(text)
        if await self.desk.count_tokens(final) <= room:
            self.chunks = [(0, len(text))]
            return await self._whole_sentences(final, self._answer_tokens)
        free = prompt_room(self.desk.window_tokens, self._map_tokens) - await self.desk.count_tokens(self._map(""))
        self.chunks = await split_tokens(text, free, self._count_text)
        parts = await _together([self._part(text[start:end]) for start, end in self.chunks])
        return await self._reduce(parts, room)

    async def _reduce(self, parts: Sequence[str], room: int) -> str:
        """A tree of calls, each within the window, until what is left fits one last call."""
        final = self._final("\n".join(parts))
        while await self.desk.count_tokens(final) > room and len(parts) > 1:
            overhead = await self.desk.count_tokens(self._map(""))
            sizes = [await self._count_text(part) + 1 for part in parts]
            free = prompt_room(self.desk.window_tokens, self._map_tokens) - overhead
            groups = batches(sizes, free)
            if len(groups) == len(parts):
                break
            parts = await _together([self._part("\n".join(parts[at] for at in group)) for group in groups])
            final = self._final("\n".join(parts))
        return await self._whole_sentences(final, self._answer_tokens)

    async def _part(self, text: str) -> str:
        """The summary of one chunk: the model's, or where that fails, an extract, on the record."""
        most_words = self._map_tokens // 2
        if len(words(text)) <= most_words // 2:
            return " ".join(text.split())
        try:
            raw = await self._whole_sentences(self._map(text), self._map_tokens, quiet=True)
            reason = _unusable(raw, text, "")
        except IncompleteAnswerError as error:
            raw, reason = "", error.message
        if reason:
            self.extracted.append(reason)
            raw = " ".join(span.text for span in extract(text, focus=self.material.focus, most_words=most_words))
        return raw if len(words(raw)) <= 2 * most_words else " ".join(raw.split()[: 2 * most_words])

    async def _whole_sentences(self, messages: Sequence[Message], most_tokens: int, *, quiet: bool = False) -> str:
        """The answer, without the sentence that the token limit cut."""
        listen = _ignore if quiet else None
        again = self.assignment.attempt > 1
        response = await self.desk.chat(
            messages,
            max_completion_tokens=most_tokens,
            temperature=_AGAIN_TEMPERATURE if again else 0.0,
            seed=self.assignment.attempt,
            on_text=listen,
        )
        text = _without_label(response)
        if response.finish is not Finish.LENGTH:
            return text
        spans = sentences(text)
        if len(spans) > 1 and not text.rstrip().endswith((".", "!", "?", "\u201d", '"')):
            text = text[: spans[-2].end]
        if not quiet:
            detail = "the answer ran into its limit; its unfinished sentence was left out"
            self.notes.append(Evidence("length", passed=None, detail=detail))
        return text

    def _final(self, text: str) -> tuple[Message, ...]:
        return render("summarization", text=neutral(text), request=self._request(), feedback=self._feedback())

    def _map(self, text: str) -> tuple[Message, ...]:
        focus = f" The question is: {self.material.request}" if self.material.focus else ""
        return render("summarization_map", text=neutral(text), focus=focus)

    def _request(self) -> str:
        """A plain request is worded for small models; one that asks for something is passed on as it is."""
        if not self.material.focus:
            return f"Summarize {self.material.wish.phrase}."
        request = self.material.request.rstrip()
        return request if request.endswith((".", "?", "!")) else f"{request}."

    def _feedback(self) -> str:
        failed = [item.detail for item in self.assignment.feedback if item.passed is not True]
        return f"An earlier summary was refused: {'; '.join(failed[:3])}.\n" if failed else ""

    @property
    def _answer_tokens(self) -> int:
        return max(1, min(self.material.wish.answer_tokens, self.desk.window_tokens // _SMALLEST_SHARE))

    @property
    def _map_tokens(self) -> int:
        return max(1, min(_MAP_TOKENS, self.desk.window_tokens // (2 * _SMALLEST_SHARE)))

    async def _count_text(self, text: str) -> int:
        return await self.desk.count_tokens([Message("user", neutral(text))])

    def history(self) -> list[Evidence]:
        """What is to be said of the calls."""
        if not self.extracted:
            return self.notes
        detail = f"{len(self.extracted)} of the parts had to be extracted; of the first, {self.extracted[0]}"
        return [*self.notes, Evidence("degeneration", passed=None, detail=detail)]

    def coverage(self) -> Evidence:
        """How much of the text went into the calls."""
        total = len(self.material.text)
        share = covered(self.chunks) / total
        chunks = f"{len(self.chunks)} of {len(self.chunks)} chunks" if len(self.chunks) != 1 else "1 of 1 chunk"
        return Evidence("coverage", passed=share == 1.0, detail=f"{chunks}, {share:.0%} of {total:,} characters")


async def _together(work: Sequence[Coroutine[None, None, Result]]) -> list[Result]:
    """All results in order; if one fails, the others are cancelled first."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ignore(_: str) -> None:
    """Pieces of chunk summaries are not the answer and are not shown as such."""


def _without_label(response: ChatResponse) -> str:
    text = response.text.strip()
    first, colon, rest = text.partition(":")
    labels = {
        "summary",
        "answer",
        "the summary",
        "here is the summary",
        "here is a summary",
        "tl;dr",
        "summary of the text",
    }
    opens = first.strip(" *#\n").casefold()
    rest = re.sub(r"^\*\*(?!\S)", "", rest).strip()
    return rest if colon and rest and (opens in labels or _announces(opens)) else text


def _announces(opening: str) -> bool:
    """Such as "Here is a summary of the text in 2 sentences"."""
    return opening.startswith(("here is", "here's", "here are", "sure")) and len(words(opening)) <= _LABEL_WORDS


def _unusable(raw: str, text: str, request: str) -> str:
    """Why the answer is no summary of the text at all; empty where it may be one."""
    if reason := degeneration(raw, request):
        return reason
    if faithfulness(raw, text).overlap < _BESIDE_THE_POINT:
        return "few of the answer's words are in the text: it is beside the point, or in another language"
    source = words(text)
    if len(source) >= _SHORT_SOURCE_WORDS and len(words(raw)) >= _COPY_SHARE * len(source):
        return "the answer copies the text"
    return ""


def _judged(attempt: _Attempt, trimmed: Trimmed) -> Outcome:
    faith = faithfulness(trimmed.text, attempt.material.text)
    unsupported = ", ".join([*faith.missing_numbers, *faith.missing_names][:8])
    support = f"not in the text: {unsupported}" if unsupported else "every number and name is in the text"
    shares = f"{faith.overlap:.0%} of the summary's words of weight are in the text"
    overlap = f"{shares}, {faith.weakest:.0%} in its weakest sentence"
    borne_out = faith.overlap >= _LEAST_OVERLAP and faith.weakest >= _LEAST_OF_A_SENTENCE
    checks = [
        attempt.coverage(),
        Evidence("support", passed=not unsupported, detail=support),
        Evidence("overlap", passed=borne_out, detail=overlap),
        *trimmed.evidence,
    ]
    open_end = ending_check(trimmed.text) if attempt.material.wish.bullets is None else None
    checks += [open_end] if open_end is not None else []
    verified = open_end is None and all(check.passed is not False for check in checks)
    verdict = Verdict.VERIFIED if verified else Verdict.UNVERIFIED
    data = {"chunks": len(attempt.chunks)}
    return Outcome(trimmed.text, verdict, (*attempt.history(), *checks), data=data)


def _extracted(attempt: _Attempt, reason: Evidence) -> Outcome:
    """The central sentences of the whole text, verbatim, in the length asked for."""
    material, wish, text = attempt.material, attempt.material.wish, attempt.material.text
    spans = extract(text, focus=material.focus, most_sentences=wish.sentences or wish.bullets, most_words=wish.words)
    trimmed = enforce((" " if wish.bullets is None else "\n\n").join(_line(span) for span in spans), wish)
    attempt.chunks = [(0, len(text))]
    said = Evidence("extract", passed=None, detail=f"{len(spans)} sentences of the text stand in for a summary")
    evidence = (*attempt.history(), reason, said, attempt.coverage(), *trimmed.evidence)
    return Outcome(trimmed.text, Verdict.UNVERIFIED, evidence, _citations(material, spans))


def _line(span: Span) -> str:
    return " ".join(span.text.split())


def _citations(material: Material, spans: Sequence[Span]) -> tuple[Citation, ...]:
    """Of what was taken out of documents, where it stands in them."""
    placed = [(material.place(span), span) for span in spans]
    return tuple(
        Citation(place[0].name, span.text, place[1], place[1] + len(span.text))
        for place, span in placed
        if place is not None and place[0].kind == "document"
    )
