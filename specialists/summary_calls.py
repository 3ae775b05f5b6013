"""The calls behind a summary: one where the text fits the window, else one a chunk and a tree over their summaries.

Every call fits its window by construction; parts keep the order of the text. Where the run may make no more calls, the
parts that a model has worded by then are kept, and the others are extracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nonet.errors import BudgetSpentError, IncompleteAnswerError
from nonet.runtimes import Finish, Message
from nonet.specialists.budget import Span, batches, covered, prompt_room, split_tokens
from nonet.specialists.coverage import CoverageReport
from nonet.specialists.extract import extract
from nonet.specialists.focused import MOST_TOKENS, asks_for_all, choose, read_out
from nonet.specialists.length import LengthWish
from nonet.specialists.material import Material
from nonet.specialists.protocol import Assignment, Desk, Evidence
from nonet.specialists.structure import cuts_in, without_turns
from nonet.specialists.summary_answer import unusable, without_label
from nonet.specialists.summary_parts import Reading, central, parts_of, readings, within
from nonet.specialists.summary_prompts import Prompts
from nonet.specialists.text import neutral, sentences, words
from nonet.specialists.together import together

_MAP_TOKENS = 140
"""Two or three sentences of a chunk."""
_SMALLEST_SHARE = 4
"""The answer takes at most this part of the window, so that summaries of chunks always fit together by threes."""
_AGAIN_TEMPERATURE = 0.6
"""For a further attempt: greedy, the same model says the same again."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The summary of one chunk: characters start to end of the text."""

    text: str
    start: int
    end: int
    extracted: bool = False
    """Sentences of the chunk stand in for what the model could not word."""
    asked: bool = True
    """False: no call was left for it."""


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

    sought: bool = False
    """Only what speaks of the question was read."""
    spent: BudgetSpentError | None = None
    """Why no further call may be made; nothing is asked from then on."""
    _worded: int = 0
    """Parts that are a model's."""
    _joined: bool = True
    """False: no call was left to make one summary of the parts."""

    @property
    def fitted(self) -> bool:
        """One call read the whole text, or what of it speaks of the question."""
        return not self.partials

    async def summarize(self) -> str:
        """The model's summary of the whole text."""
        text = self.material.text
        room = prompt_room(self.desk.window_tokens, self._answer_tokens)
        final = self._prompts.final(text)
        if await self.desk.count_tokens(final) <= room:
            self.chunks = [(0, len(text))]
            return await self._whole_sentences(final, self._answer_tokens)
        if await self._in_parts():
            return " ".join(part.text for part in self.partials)
        if spans := await self._to_the_point(room):
            self.chunks, self.sought = spans, True
            return await self._whole_sentences(self._prompts.final(read_out(text, spans)), self._answer_tokens)
        free = prompt_room(self.desk.window_tokens, self._map_tokens) - await self.desk.count_tokens(
            self._prompts.chunk("")
        )
        self.chunks = await split_tokens(text, free, self._count_text, cuts_in(self.material))
        self.partials = await together([self._part(text, span) for span in self.chunks])
        self._keep([[span] for span in self.chunks], self.partials)
        return await self._reduce(self.partials, room)

    async def _in_parts(self) -> bool:
        """Whether the summary is long enough to be made part by part; then its parts are there."""
        material, wish = self.material, self.material.wish
        if not wish.words or parts_of(wish.words) == 1 or replace(wish, words=None).stated:
            return False
        focus = frozenset() if asks_for_all(material.request) else material.focus
        asked = await self.desk.count_tokens(self._prompts.part("", wish.words))
        room = prompt_room(self.desk.window_tokens, self._part_tokens(wish.words // parts_of(wish.words))) - asked
        cuts = cuts_in(material)
        found = await readings(material.text, focus, wish.words, room, self._count_text, cuts) if room > 0 else []
        if not found:
            return False
        self.sought = bool(focus)
        size = wish.words // len(found)
        made = await together([self._paragraph(each, size) for each in found])
        self._keep([each.spans for each in found], made)
        kept = within([part.text for part in made], wish.words)
        self.partials = [replace(part, text=text) for part, text in zip(made, kept, strict=True)]
        if left := sum(text != part.text for part, text in zip(made, kept, strict=True)):
            detail = f"of {left} of {len(made)} parts, sentences were left out to keep within {wish.words} words"
            self.notes.append(Evidence("length", passed=None, detail=detail))
        return True

    def _keep(self, spans: Sequence[Sequence[Span]], made: Sequence[Partial]) -> None:
        """What went into calls. Raises BudgetSpentError where none was left and there is nothing to keep."""
        if self.spent is not None and not self._worded:
            raise self.spent
        self.chunks = [span for each, part in zip(spans, made, strict=True) if part.asked for span in each]

    async def _paragraph(self, reading: Reading, most_words: int) -> Partial:
        at = (reading.spans[0][0], reading.spans[-1][1])
        return await self._summed(
            self._prompts.part(reading.text, most_words),
            reading.text,
            at,
            most_words,
            most_tokens=self._part_tokens(most_words),
            language=self.material.options.language,
        )

    async def _to_the_point(self, room: int) -> list[Span] | None:
        """What of a text that does not fit speaks of the question; None where all of it is to be read."""
        material = self.material
        if not material.focus or asks_for_all(material.request):
            return None
        free = min(MOST_TOKENS, room - await self.desk.count_tokens(self._prompts.final("")))
        cuts = without_turns(cuts_in(material))
        return await choose(material.text, material.focus, free, self._count_text, cuts) if free > 0 else None

    async def _reduce(self, partials: Sequence[Partial], room: int) -> str:
        """A tree of calls, each within the window, until what is left fits one last call."""
        parts = [partial.text for partial in partials]
        final = self._prompts.final("\n".join(parts))
        while self.spent is None and await self.desk.count_tokens(final) > room and len(parts) > 1:
            overhead = await self.desk.count_tokens(self._prompts.chunk(""))
            sizes = [await self._count_text(part) + 1 for part in parts]
            free = prompt_room(self.desk.window_tokens, self._map_tokens) - overhead
            groups = batches(sizes, free)
            if len(groups) == len(parts):
                break
            joined = ["\n".join(parts[at] for at in group) for group in groups]
            parts = [part.text for part in await together([self._part(each, (0, len(each))) for each in joined])]
            final = self._prompts.final("\n".join(parts))
        try:
            return await self._whole_sentences(final, self._answer_tokens)
        except BudgetSpentError:
            if not self._worded:
                raise
            self._joined = False
            return central(parts, self.material.focus, self.material.wish)

    async def _part(self, whole: str, span: tuple[int, int]) -> Partial:
        """The summary of one chunk: the model's, or where that fails, an extract, on the record."""
        text = whole[slice(*span)]
        most_words = self._map_tokens // 2
        if len(words(text)) <= most_words // 2:
            return Partial(" ".join(text.split()), *span)
        return await self._summed(self._prompts.chunk(text), text, span, most_words, most_tokens=self._map_tokens)

    async def _summed(
        self,
        messages: Sequence[Message],
        text: str,
        span: Span,
        most_words: int,
        *,
        most_tokens: int,
        language: str | None = None,
    ) -> Partial:
        """What the model gives, of about so many words; where that is unusable, an extract, on the record."""
        asked = True
        try:
            raw = await self._whole_sentences(messages, most_tokens, quiet=True)
            reason = unusable(raw, text, "", language=language)
        except IncompleteAnswerError as error:
            raw, reason = "", error.message
        except BudgetSpentError:
            raw, reason, asked = "", "", False
        if reason:
            self.extracted.append(reason)
        if reason or not asked:
            taken = extract(text, focus=self.material.focus, most_words=most_words)
            raw = " ".join(" ".join(span.text.split()) for span in taken)
        else:
            self._worded += 1
        if len(words(raw)) > 2 * most_words:
            raw = " ".join(raw.split()[: 2 * most_words])
        return Partial(raw, *span, extracted=bool(reason) or not asked, asked=asked)

    async def _whole_sentences(self, messages: Sequence[Message], most_tokens: int, *, quiet: bool = False) -> str:
        """The answer, without the sentence that the token limit cut."""
        listen = _ignore if quiet else None
        again = self.assignment.attempt > 1
        if self.spent is not None:
            raise self.spent
        try:
            response = await self.desk.chat(
                messages,
                max_completion_tokens=most_tokens,
                temperature=_AGAIN_TEMPERATURE if again else 0.0,
                seed=self.assignment.attempt,
                on_text=listen,
            )
        except BudgetSpentError as error:
            self.spent = error
            raise
        text = without_label(response.text)
        if response.finish is not Finish.LENGTH:
            return text
        spans = sentences(text)
        if len(spans) > 1 and not text.rstrip().endswith((".", "!", "?", "\u201d", '"')):
            text = text[: spans[-2].end]
        if not quiet:
            detail = "the answer ran into its limit; its unfinished sentence was left out"
            self.notes.append(Evidence("length", passed=None, detail=detail))
        return text

    @property
    def _unread(self) -> int:
        """Parts for which no call was left."""
        return sum(not part.asked for part in self.partials)

    @property
    def _prompts(self) -> Prompts:
        return Prompts(self.material, tuple(self.assignment.feedback))

    @property
    def _answer_tokens(self) -> int:
        return max(1, min(self.material.wish.answer_tokens, self.desk.window_tokens // _SMALLEST_SHARE))

    @property
    def _map_tokens(self) -> int:
        return max(1, min(_MAP_TOKENS, self.desk.window_tokens // (2 * _SMALLEST_SHARE)))

    def _part_tokens(self, most_words: int) -> int:
        wanted = LengthWish(words=most_words).answer_tokens
        return max(self._map_tokens, min(wanted, self.desk.window_tokens // _SMALLEST_SHARE))

    async def _count_text(self, text: str) -> int:
        return await self.desk.count_tokens([Message("user", neutral(text))])

    def history(self) -> list[Evidence]:
        """What is to be said of the calls."""
        told = list(self.notes)
        if self.extracted:
            detail = f"{len(self.extracted)} of the parts had to be extracted; of the first, {self.extracted[0]}"
            told.append(Evidence("degeneration", passed=None, detail=detail))
        if self.spent is not None and self.partials:
            done = [f"{self._unread} of {len(self.partials)} parts had to be extracted"] if self._unread else []
            done += [] if self._joined else ["central sentences of the parts stand in for a summary of them all"]
            detail = f"{self.spent.message.rstrip('.')}: {', and '.join(done)}"
            told.append(Evidence("call", passed=False, detail=detail))
        return told

    def data(self, report: CoverageReport) -> dict[str, Any]:
        """What a program may want to know: the calls' spans, and what each sentence stands on."""
        return data_of(self.chunks, self.partials, report)

    def coverage(self) -> Evidence:
        """How much of the text went into the calls."""
        total = len(self.material.text)
        share = covered(self.chunks) / total
        if self._unread and share < 1.0:
            parts = f"{len(self.partials) - self._unread} of {len(self.partials)} parts"
            detail = f"{parts}, {share:.0%} of {total:,} characters; no call was left for the rest"
            return Evidence("coverage", passed=False, detail=detail)
        if self.sought and share < 1.0:
            parts = f"{len(self.chunks)} parts" if len(self.chunks) != 1 else "1 part"
            detail = f"{parts} that speak of the question, {share:.0%} of {total:,} characters; the rest was not read"
            return Evidence("coverage", passed=None, detail=detail)
        chunks = f"{len(self.chunks)} of {len(self.chunks)} chunks" if len(self.chunks) != 1 else "1 of 1 chunk"
        return Evidence("coverage", passed=share == 1.0, detail=f"{chunks}, {share:.0%} of {total:,} characters")


def data_of(read: Sequence[Span], partials: Sequence[Partial], report: CoverageReport) -> dict[str, Any]:
    """As JSON values: what went into calls, what was made of its pieces, and what the summary stands on."""
    made = [{"text": part.text, "start": part.start, "end": part.end, "extracted": part.extracted} for part in partials]
    spans = [[start, end] for start, end in read]
    return {"chunks": len(spans), "read": spans, "partials": made, "coverage": report.to_data()}


def _ignore(_: str) -> None:
    """Pieces of chunk summaries are not the answer and are not shown as such."""
