"""Translates: a call a piece, so that no length is too long, each piece held against its own text."""

from __future__ import annotations

import re

from nonet.errors import IncompleteAnswerError
from nonet.runtimes import Finish, Message
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.budget import prompt_room, split_tokens
from nonet.specialists.own import verdict_of
from nonet.specialists.text import neutral
from nonet_translation.checks import translation_checks
from nonet_translation.request import sources_of, target_language

_PIECE_TOKENS = 220
"""Of a text in one call: small models leave out sentences of longer ones."""
_AGAIN_TEMPERATURE = 0.5
_AS = "Translate the letter into German."
_PREAMBLE = re.compile(
    r"^(?:(?:sure|certainly|here)[^\n:]{0,80}:\s*\n?|(?:german|translation)[^\n:]{0,30}:\s*)", re.IGNORECASE
)


class TranslationSpecialist:
    """Into the language that the request names. Never verified: no check here compares the meaning."""

    name = "translation"
    description = "translates texts, and checks language, numbers, names and completeness"
    examples = (
        _AS,
        "Translate this document into French.",
        "Translate report.md to Spanish.",
        "Translate the following into English: Guten Morgen.",
        "Translate the summary into Russian.",
        "I need a Polish translation of the manual.",
        "Make a Portuguese translation of the e-mail.",
        "How do you say 'the train is late' in Dutch?",
        "How would you say this in French?",
        "Give me this text in Italian.",
        "Write this e-mail in Spanish.",
        "Put the announcement into German.",
    )

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One attempt. A request without a language or a text is told so without a call."""
        target, sources = target_language(assignment.instruction), sources_of(assignment)
        if target is None or not sources:
            detail = f"the request names no language: {_AS}" if target is None else "there is no text to translate"
            return Outcome("", Verdict.FAILED, (Evidence("request", passed=False, detail=detail),))
        text = "\n\n".join(each.text for each in sources)
        translation, cut = await _translated(text, target, assignment, desk)
        checks = [Evidence("length", passed=False, detail=f"{cut} pieces were cut at the model's limit")] if cut else []
        checks += translation_checks(text, translation, target)
        return Outcome(translation, verdict_of(checks), tuple(checks), data={"language": target})


async def _translated(text: str, target: str, assignment: Assignment, desk: Desk) -> tuple[str, int]:
    """The translation, and how many of its pieces ran into the model's limit."""
    whole, cut = [], 0

    async def count(piece: str) -> int:
        return await desk.count_tokens(_messages(piece, target, assignment))

    most = min(await count("") + _PIECE_TOKENS, prompt_room(desk.window_tokens, _PIECE_TOKENS * 3))
    for start, end in await split_tokens(text, most, count):
        piece = text[start:end]
        body = piece.strip()
        if not body:
            whole.append(piece)
            continue
        said, was_cut = await _one(body, target, assignment, desk)
        cut += was_cut
        lead = len(piece) - len(piece.lstrip())
        whole.append(piece[:lead] + said + piece[lead + len(body) :])
    return "".join(whole).strip(), cut


async def _one(body: str, target: str, assignment: Assignment, desk: Desk) -> tuple[str, bool]:
    again = assignment.attempt > 1
    try:
        response = await desk.chat(
            _messages(body, target, assignment),
            temperature=_AGAIN_TEMPERATURE if again else 0.0,
            seed=assignment.attempt,
            max_completion_tokens=_PIECE_TOKENS * 3,
        )
    except IncompleteAnswerError as error:
        return error.partial.strip(), True
    said = _PREAMBLE.sub("", response.text.strip()).strip()
    if said[:1] in '"\u201c' and body[:1] not in '"\u201c':
        said = said.strip('"\u201c\u201d')
    return said, response.finish is Finish.LENGTH


def _messages(piece: str, target: str, assignment: Assignment) -> tuple[Message, ...]:
    rules = f"You are a translator. Translate into {target}, sentence by sentence. Keep numbers and names as they are."
    findings = "; ".join(each.detail for each in assignment.feedback[:2])
    if findings:
        rules += f" A first translation was wrong: {neutral(findings)}."
    return (
        Message("system", f"{rules} Answer with the translation alone."),
        Message("user", f"Translate into {target}:\n\n{neutral(piece)}"),
    )
