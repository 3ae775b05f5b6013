"""The calls behind a summary: one where the text fits the window, else one a chunk and a tree over their summaries.

Every call fits its window by construction; parts keep the order of the text.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nonet.errors import IncompleteAnswerError
from nonet.runtimes import ChatResponse, Finish, Message
from nonet.specialists.budget import Span, batches, covered, prompt_room, split_tokens
from nonet.specialists.coverage import CoverageReport
from nonet.specialists.extract import extract
from nonet.specialists.focused import MOST_TOKENS, asks_for_all, choose, read_out
from nonet.specialists.material import Material
from nonet.specialists.protocol import Assignment, Desk, Evidence
from nonet.specialists.support import faithfulness
from nonet.specialists.templates import render
from nonet.specialists.text import content_stems, degeneration, neutral, sentences, share_found, words

_MAP_TOKENS = 140
"""Two or three sentences of a chunk."""
_SMALLEST_SHARE = 4
"""The answer takes at most this part of the window, so that summaries of chunks always fit together by threes."""
_MUCH_TO_SAY = 12
"""Stems of a text that its request lacks, from which a summary has something to say."""
_LEAST_NEW = 3
"""Stems that a summary of such a text adds to its request."""
_ECHOED = 0.5
"""Share of a summary's stems that are the request's, from which it is an echo of it."""
_BESIDE_THE_POINT = 0.5
"""Below this overlap the summary speaks of something else ("the text sums up the main ideas of the article"), or in
another language than the text."""
_AGAIN_TEMPERATURE = 0.6
"""For a further attempt: greedy, the same model says the same again."""
_COPY_SHARE = 0.9
_SHORT_SOURCE_WORDS = 60
_LABEL_WORDS = 16

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Partial:
    """The summary of one chunk: characters start to end of the text."""

    text: str
    start: int
    end: int
    extracted: bool = False
    """Sentences of the chunk stand in for what the model could not word."""


@dataclass(slots=True)
class Attempt:
    """One summary under way."""

    material: Material
    assignment: Assignment
    desk: Desk
    chunks: list[tuple[int, int]] = field(default_factory=list)
    notes: list[Evidence] = field(default_factory=list)
    extracted: list[str] = field(default_factory=list)
    """Why parts were extracted instead of summed up."""
    partials: list[Partial] = field(default_factory=list)
    """The summaries of the chunks, in the order of the text; empty where one call read all of it."""

    @property
    def fitted(self) -> bool:
        """One call read the whole text, or what of it speaks of the question."""
        return not self.partials

    async def summarize(self) -> str:
        """The model's summary of the whole text."""
        text = self.material.text
        room = prompt_room(self.desk.window_tokens, self._answer_tokens)
        final = self._final(text)
        if await self.desk.count_tokens(final) <= room:
            self.chunks = [(0, len(text))]
            return await self._whole_sentences(final, self._answer_tokens)
        if spans := await self._to_the_point(room):
            self.chunks = spans
            return await self._whole_sentences(self._final(read_out(text, spans)), self._answer_tokens)
        free = prompt_room(self.desk.window_tokens, self._map_tokens) - await self.desk.count_tokens(self._map(""))
        self.chunks = await split_tokens(text, free, self._count_text)
        self.partials = await together([self._part(text, span) for span in self.chunks])
        return await self._reduce(self.partials, room)

    async def _to_the_point(self, room: int) -> list[Span] | None:
        """What of a text that does not fit speaks of the question; None where all of it is to be read."""
        material = self.material
        if not material.focus or asks_for_all(material.request):
            return None
        free = min(MOST_TOKENS, room - await self.desk.count_tokens(self._final("")))
        return await choose(material.text, material.focus, free, self._count_text) if free > 0 else None

    async def _reduce(self, partials: Sequence[Partial], room: int) -> str:
        """A tree of calls, each within the window, until what is left fits one last call."""
        parts = [partial.text for partial in partials]
        final = self._final("\n".join(parts))
        while await self.desk.count_tokens(final) > room and len(parts) > 1:
            overhead = await self.desk.count_tokens(self._map(""))
            sizes = [await self._count_text(part) + 1 for part in parts]
            free = prompt_room(self.desk.window_tokens, self._map_tokens) - overhead
            groups = batches(sizes, free)
            if len(groups) == len(parts):
                break
            joined = ["\n".join(parts[at] for at in group) for group in groups]
            parts = [part.text for part in await together([self._part(each, (0, len(each))) for each in joined])]
            final = self._final("\n".join(parts))
        return await self._whole_sentences(final, self._answer_tokens)

    async def _part(self, whole: str, span: tuple[int, int]) -> Partial:
        """The summary of one chunk: the model's, or where that fails, an extract, on the record."""
        text = whole[slice(*span)]
        most_words = self._map_tokens // 2
        if len(words(text)) <= most_words // 2:
            return Partial(" ".join(text.split()), *span)
        try:
            raw = await self._whole_sentences(self._map(text), self._map_tokens, quiet=True)
            reason = unusable(raw, text, "")
        except IncompleteAnswerError as error:
            raw, reason = "", error.message
        if reason:
            self.extracted.append(reason)
            raw = " ".join(span.text for span in extract(text, focus=self.material.focus, most_words=most_words))
        if len(words(raw)) > 2 * most_words:
            raw = " ".join(raw.split()[: 2 * most_words])
        return Partial(raw, *span, extracted=bool(reason))

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
        asked = self.material.question or self.material.request
        focus = f" The question is: {asked}" if self.material.focus else ""
        return render("summarization_map", text=neutral(text), focus=focus)

    def _request(self) -> str:
        """A plain request is worded for small models; one that asks for something is passed on as it is."""
        if not self.material.focus:
            return f"Summarize {self.material.wish.phrase}{self.material.options.phrase}."
        if self.material.question:
            wish = f"{self.material.wish.phrase}{self.material.options.phrase}"
            return f"Summarize {wish} what the text says about this question: {self.material.question}"
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

    def data(self, report: CoverageReport) -> dict[str, Any]:
        """What a program may want to know: the calls' spans, and what each sentence stands on."""
        partials = [
            {"text": part.text, "start": part.start, "end": part.end, "extracted": part.extracted}
            for part in self.partials
        ]
        read = [[start, end] for start, end in self.chunks]
        return {"chunks": len(self.chunks), "read": read, "partials": partials, "coverage": report.to_data()}

    def coverage(self) -> Evidence:
        """How much of the text went into the calls."""
        total = len(self.material.text)
        share = covered(self.chunks) / total
        if self.fitted and share < 1.0:
            parts = f"{len(self.chunks)} parts" if len(self.chunks) != 1 else "1 part"
            detail = f"{parts} that speak of the question, {share:.0%} of {total:,} characters; the rest was not read"
            return Evidence("coverage", passed=None, detail=detail)
        chunks = f"{len(self.chunks)} of {len(self.chunks)} chunks" if len(self.chunks) != 1 else "1 of 1 chunk"
        return Evidence("coverage", passed=share == 1.0, detail=f"{chunks}, {share:.0%} of {total:,} characters")


async def together(work: Sequence[Coroutine[None, None, Result]]) -> list[Result]:
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


def restates(raw: str, text: str, topic: AbstractSet[str], *, answers: bool = False) -> str:
    """Why the answer says nothing that was not asked; empty where it does, or where the text has no more to say.

    A small model that is to sum up what a question found gives the question back as a statement.

    Args:
        raw: what the model answered.
        text: what it was to sum up.
        topic: stems of what the summary and the search before it were to speak of.
        answers: the summary is to answer a question, so that one name more is news.
    """
    said = set(content_stems(raw))
    if len(set(content_stems(text)) - topic) < _MUCH_TO_SAY or len(said - topic) >= (1 if answers else _LEAST_NEW):
        return ""
    echo = bool(topic) and share_found(said, set(topic)) >= _ECHOED
    return "the answer says no more than the request does" if echo else ""


def unusable(raw: str, text: str, request: str, *, language: str | None = None) -> str:
    """Why the answer is no summary of the text at all; empty where it may be one.

    Args:
        raw: what the model answered.
        text: what it was to sum up.
        request: repeating it is an echo.
        language: asked for; words of another language cannot be looked for in the text.
    """
    if reason := degeneration(raw, request):
        return reason
    if language is None and faithfulness(raw, text).overlap < _BESIDE_THE_POINT:
        return "few of the answer's words are in the text: it is beside the point, or in another language"
    source = words(text)
    if len(source) >= _SHORT_SOURCE_WORDS and len(words(raw)) >= _COPY_SHARE * len(source):
        return "the answer copies the text"
    return ""
