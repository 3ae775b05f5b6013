"""What a specialist is, what it is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from nonet.runtimes import ChatResponse, Message, OnText
from nonet.specialists.sandbox.protocol import Sandbox
from nonet.specialists.summary_options import SummaryOptions
from nonet.specialists.text import neutral
from nonet.specialists.workspace import Workspace


class Verdict(StrEnum):
    """What was proved of a result."""

    VERIFIED = "verified"
    """A check that could have failed was made and passed: tests ran, quotes are verbatim and carry the answer."""
    UNVERIFIED = "unverified"
    """Nothing speaks against it, and nothing proves it."""
    FAILED = "failed"
    """A check failed, or there is no result."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One check and what it found."""

    kind: str
    """"tests", "sandbox", "quote", "method", "coverage", "schema", "length", "degeneration", "options", "call"."""
    passed: bool | None
    """None: the check could not be made."""
    detail: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quote: `document` text[start:end] == quote, offsets in characters of the stored text."""

    document: str
    quote: str
    start: int
    end: int
    chunk: int | None = None
    """Of the document's chunks, from 0; None where it was not cut."""
    page: int | None = None
    """From 1; None for documents without pages."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text that a subtask reads: an earlier artifact or a document."""

    name: str
    """The subtask id ("s1") or the document's name."""
    text: str
    kind: str = "document"
    """"artifact" or "document"."""
    asked: str = ""
    """Of an artifact: the instruction that it answers."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that a specialist sees of a task."""

    instruction: str
    sources: tuple[Source, ...] = ()
    feedback: tuple[Evidence, ...] = ()
    """Failed checks of the attempt before this one, to repair from."""
    previous: str = ""
    """The text that the failed attempt produced, empty at the first."""
    workspace: Workspace | None = None
    """Files of the user's to change; only specialists that write code look at it."""
    attempt: int = 1
    """Which try on this rung of the ladder it is; a model asked the same again must be asked differently."""
    options: SummaryOptions | None = None
    """How a summary is to be; only summarization looks at it."""
    schema: Mapping[str, Any] | None = None
    """A JSON schema that the text should obey, for those that can constrain their model; None: a free text."""

    @property
    def text(self) -> str:
        """All that it reads, for a prompt: headed by the names where there are several, turn marks broken up."""
        texts = [neutral(source.text) for source in self.sources]
        if len(texts) == 1:
            return texts[0]
        return "\n\n".join(f"{source.name}:\n{text}" for source, text in zip(self.sources, texts, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt produced."""

    text: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[Citation, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    """Anything more, as JSON values: {"language": "python"}."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a search found. `text` == the document's text[start:end]."""

    document: str
    chunk: int
    score: float
    """Higher is better; comparable within one search only."""
    start: int
    end: int
    text: str
    cosine: float | None = None
    """Of its vector with the query's; None where the search did not use vectors."""
    page: int | None = None
    """From 1; None for documents without pages."""


class Searcher(Protocol):
    """Searches the documents of this run. Graphs hands in the store; specialists never see it."""

    @property
    def rounds(self) -> int:
        """How often one question may be searched further, by what was found: at most so many rounds."""
        ...

    @property
    def lacking(self) -> str:
        """Why the last search was by words alone, and what to do about it; empty where it was not."""
        ...

    async def search(self, query: str, limit: int, *, broad: bool = False) -> Sequence[Passage]:
        """The best passages, best first; any text is a valid query, and nothing found is an empty sequence.

        Args:
            query: any text.
            limit: at most so many.
            broad: many passages on one subject are wanted, not the one that holds a fact.
        """
        ...


class Desk(Protocol):
    """What a specialist works with during one attempt: one model, its window, and the tools graphs hands in."""

    @property
    def model(self) -> str:
        """The chat model of this rung of the ladder."""
        ...

    @property
    def window_tokens(self) -> int:
        """Prompt and answer together."""
        ...

    @property
    def searcher(self) -> Searcher | None: ...

    @property
    def sandbox(self) -> Sandbox | None:
        """None: no tier works here, so code cannot be proved."""
        ...

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_completion_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> ChatResponse:
        """One call to this rung's model, through the scheduler, recorded in the store.

        Greedy unless a `temperature` is given; then `seed` makes it repeatable. Raises BudgetSpentError, and calls
        nothing, where the run may make no further call.
        """
        ...

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, never too low."""
        ...

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        """Unit vectors, or None where no embedding model is configured."""
        ...


class Specialist(Protocol):
    """A capability: a prompt, an output and a verifier. Stateless; one instance serves many attempts at once."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str:
        """One line, as the plan view shows it."""
        ...

    @property
    def examples(self) -> Sequence[str]:
        """A dozen or so requests it should get; routing compares with them."""
        ...

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One attempt. Bad results come back as FAILED with evidence.

        Raised are CallError and ResourceError alone, and BudgetSpentError where no call was left to make a result with.
        """
        ...
