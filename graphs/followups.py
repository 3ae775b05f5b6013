"""Follow-ups: "shorten that", "now in Rust". Rules say what is wanted and which earlier text is meant.

Where the rules leave several texts, a model chooses among their names, and can choose nothing else.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nonet.errors import CallError
from nonet.graphs.memory import ArtifactReference, Memory
from nonet.runtimes import ChatRequest, Message
from nonet.specialists.text import sentences

if TYPE_CHECKING:
    from nonet.graphs.session import Session

Wish = Literal["shorten", "translate", "port", "explain", "change", "other"]

_PLEASE = r"(?:(?:please|now|and|then|ok(?:ay)?|so|can you|could you|would you)[, ]+)*"
_IT = r"(?:it|that|this|them|these|those|(?:the|that|this|your) (?:{nouns}))"
_NOUNS = {
    "code": "code|function|class|script|program|implementation|method|query",
    "": "answer|result|reply",
    "text": "summary|text|translation|sentence|sentences|paragraph|list|report|explanation",
}
_ANY = _IT.format(nouns="|".join(_NOUNS.values()))
_LONGEST = 300
"""A longer request says by itself what it is about."""
_PROGRAMMING = (
    "rust|go|golang|c|c\\+\\+|c#|java|javascript|typescript|kotlin|swift|ruby|php|perl|scala|haskell|lua|sql|bash|julia"
    "|dart|zig|r|python"
)
_SPOKEN = (
    "english|german|french|spanish|italian|portuguese|dutch|polish|russian|ukrainian|turkish|arabic|hebrew|hindi|chinese"
    "|japanese|korean|swedish|danish|norwegian|finnish|czech|greek|latin"
)
_INTO_CODE = rf"(?:in|into|to|as) (?P<code>{_PROGRAMMING})"
_INTO_SPOKEN = rf"(?:in|into|to|as) (?P<spoken>{_SPOKEN})"
_LENGTH = r"(?:in|as) (?:one|two|three|\d+) (?:\w+ )?(?:sentences?|words|lines?|bullets?)"
_PATTERNS: dict[Wish, tuple[str, ...]] = {
    "shorten": (
        rf"(?:shorten|condense|abridge|trim|summari[sz]e)(?: {_ANY})?(?P<how>(?: down)?(?: (?:to|in|into) .+)?)",
        rf"(?:make|keep) {_ANY}(?: \w+)? (?:shorter|briefer|more concise|brief|short)",
        rf"shorter|briefer|more concise|tl;?dr|(?P<only>(?:just )?{_LENGTH})",
    ),
    "port": (
        rf"(?:(?:translate|port|convert|rewrite|redo|write|give me|show me)(?: {_ANY})? |(?:the )?same )?{_INTO_CODE}",
    ),
    "translate": (
        rf"(?:(?:translate|rewrite|write|give me|say|put|repeat)(?: {_ANY})? |(?:the )?same )?{_INTO_SPOKEN}",
    ),
    "explain": (rf"(?:explain|describe)(?: {_ANY})?(?: .+)?", r"(?:why|how) (?:does|is) (?:it|that|this)\b.*"),
    "change": (
        r"(?:add|use|rename|remove|drop|handle|support|refactor|fix|improve|extend|change|replace|test|document)\b.*",
    ),
}
_RULES: list[tuple[Wish, re.Pattern[str]]] = [
    (wish, re.compile(rf"^{_PLEASE}(?:{'|'.join(patterns)})(?:,? please)?[.!?\s]*$", re.IGNORECASE | re.DOTALL))
    for wish, patterns in _PATTERNS.items()
]
_REFERS = re.compile(
    rf"^{_PLEASE}\w+(?: \w+)? {_ANY}\b|\b(?:the|your) (?:above|previous|last|earlier)\b", re.IGNORECASE
)
_OWN_MATTER = re.compile(r"[@`]|\b(?:report|notes|document|file|article|paper)\b|\w\.\w{2,4}\b", re.IGNORECASE)
_LEAST_SENTENCES = 1
_SUMMARY_CHARACTERS = 1500
"""Of the memory in a prompt, about 400 tokens: it fits every window."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A request about an earlier text."""

    said: str
    wish: Wish
    candidates: tuple[ArtifactReference, ...]
    """Which texts may be meant, the likeliest last."""
    how: str = ""
    """The language, or the length that was asked for."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A follow-up as a subtask can be given it."""

    specialist: str | None
    """None: the planner decides."""
    instruction: str
    artifact: ArtifactReference


def read_follow_up(said: str, memory: Memory) -> FollowUp | None:
    """What the request wants of which earlier text; None where it stands on its own, or nothing was made yet."""
    said = " ".join(said.split())
    if not memory.artifacts or len(said) > _LONGEST:
        return None
    for wish, rule in _RULES:
        match = rule.match(said)
        if match is None or _stands_alone(wish, said):
            continue
        named = match.groupdict()
        how = next((named[key] for key in ("code", "spoken", "how", "only") if named.get(key)), "")
        candidates = _meant(said, wish, memory)
        return FollowUp(said, wish, candidates, how.strip()) if candidates else None
    if _REFERS.search(said) and not _OWN_MATTER.search(said):
        candidates = _meant(said, "other", memory)
        return FollowUp(said, "other", candidates) if candidates else None
    return None


def _stands_alone(wish: Wish, said: str) -> bool:
    """Whether the words bring their own matter, so that no earlier text is meant."""
    if _OWN_MATTER.search(said) is not None:
        return True
    return wish in {"explain", "change"} and re.search(rf"\b{_ANY}\b|^\w+$", said, re.IGNORECASE) is None


def _meant(said: str, wish: Wish, memory: Memory) -> tuple[ArtifactReference, ...]:
    """By part ("s2", "the second"), by kind, by the noun that is used; else what the last run made."""
    last = memory.last_run()
    if named := [each for each in last if re.search(rf"\b{each.name.rpartition('.')[2]}\b", said)]:
        return tuple(named[-1:])
    kind = "code" if wish in {"port", "change"} else "text" if wish == "translate" else ""
    for each, nouns in _NOUNS.items():
        if each and re.search(rf"\b(?:the|that|this|your) (?:\w+ )?(?:{nouns})\b", said, re.IGNORECASE):
            kind = each
    fitting = [each for each in last if not kind or each.kind == kind]
    if fitting and not kind and not fitting[-1].specialist:
        return tuple(fitting[-1:])  # "that" is the answer as a whole
    older = [each for each in memory.artifacts if each.kind == kind and each.specialist]
    return tuple([each for each in fitting if each.specialist] or fitting or older[-1:])


async def choose(session: Session, follow_up: FollowUp, memory: Memory) -> ArtifactReference:
    """The text that is meant; of several, the one a model names, and the likeliest where no model can tell."""
    candidates = follow_up.candidates
    if len(candidates) == 1:
        return candidates[0]
    names = [each.name for each in candidates]
    listed = "\n".join(f"{each.name}: {each.kind} for: {each.about}" for each in candidates)
    prompt = (
        f"Earlier work:\n{memory.summary(_SUMMARY_CHARACTERS)}\n\nCandidates:\n{listed}\n\n"
        f"The user now says: {follow_up.said}\nWhich candidate is meant?"
    )
    schema = {
        "type": "object",
        "properties": {"meant": {"type": "string", "enum": names}},
        "required": ["meant"],
        "additionalProperties": False,
    }
    ladder = session.ladders.get("general") or next(iter(session.ladders.values()))
    request = ChatRequest(ladder[0], (Message("user", prompt),), schema=schema, max_completion_tokens=64)
    try:
        meant = json.loads((await session.scheduler.chat(request)).text)["meant"]
    except (CallError, ValueError, KeyError):
        return candidates[-1]
    return next((each for each in candidates if each.name == meant), candidates[-1])


def resolve(follow_up: FollowUp, artifact: ArtifactReference, text: str) -> Resolved:
    """The follow-up in words that stand on their own, and who is to do it."""
    if follow_up.wish == "explain":
        return Resolved("general", follow_up.said, artifact)
    instruction = _of_code(follow_up) if artifact.kind == "code" else None
    if instruction is not None:
        return Resolved("code", f"{instruction} It was asked for so: {artifact.about}", artifact)
    if follow_up.wish == "shorten":
        return Resolved("summarization", f"Summarize the text {_length(follow_up.how, text)}.", artifact)
    if follow_up.wish == "translate":
        return Resolved("general", f"Translate the text into {follow_up.how.capitalize()}.", artifact)
    return Resolved(None, follow_up.said, artifact)


def _of_code(follow_up: FollowUp) -> str | None:
    match follow_up.wish:
        case "shorten":
            return "Write the code shorter, with the same names, parameters and results."
        case "port":
            return f"Translate the code into {_proper(follow_up.how)}."
        case "change":
            return f"Change the code: {follow_up.said.rstrip('.')}."
        case _:
            return None


def _length(asked: str, text: str) -> str:
    """As it was asked for; else half as many sentences as the text has."""
    most = max(_LEAST_SENTENCES, math.ceil(len(sentences(text)) / 2))
    plain = re.sub(r"^(?:just|down)\s*", "", asked)
    plain = re.sub(r"^(?:to|into|as) ", "in ", plain)
    return plain or f"in {most} sentence{'s' if most != 1 else ''}"


_SPELLING = {"php": "PHP", "sql": "SQL", "javascript": "JavaScript", "typescript": "TypeScript", "golang": "Go"}


def _proper(language: str) -> str:
    lower = language.lower()
    return _SPELLING.get(lower, lower.capitalize())
