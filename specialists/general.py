"""Answers what needs no specialist: small talk, arithmetic, general knowledge. One call, never verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nonet.errors import ContextOverflowError
from nonet.runtimes import Message
from nonet.specialists.budget import Part, fit
from nonet.specialists.checks import answer_checks, degeneration_check, length_check, names_a_language
from nonet.specialists.output_schema import described
from nonet.specialists.protocol import Assignment, Citation, Desk, Evidence, Outcome, Verdict
from nonet.specialists.questions import is_asked
from nonet.specialists.quote_gate import gate_sources
from nonet.specialists.text import neutral

_SYSTEM = "Answer the request directly and briefly."
_ANSWER_SHARE = 4
"""The part of the window that is kept for the answer."""
_AGAIN_TEMPERATURE = 0.6
"""For a further attempt: greedy, the same model says the same again."""
_MOST_FINDINGS = 3

_EXAMPLES = (
    "Hello, how are you today?",
    "Thanks, that was helpful!",
    "What can you do for me?",
    "Tell me a joke about penguins.",
    "What is 15 percent of 80?",
    "Anna has 12 pencils and buys 3 more boxes of 8. How many pencils does she have now?",
    "A train leaves at 9:40 and needs 75 minutes. When does it arrive?",
    "Tom earns $14 an hour and works 6 hours a day. How much does he earn in 5 days?",
    "If a shirt costs 30 euros and is reduced by a fifth, what is the new price?",
    "A tank holds 200 litres and loses 5 litres an hour. How long until it is half empty?",
    "Is 97 a prime number?",
    "Give me three names for a tabby cat.",
    "Write a short birthday greeting for my aunt.",
    "Translate 'good morning' into Spanish.",
    "What does the word 'ubiquitous' mean?",
    "Should I take an umbrella when the sky is grey?",
)


class GeneralSpecialist:
    """One chat call with the request and whatever it reads; nothing proves the answer, so it stays unverified."""

    name = "general"
    description = "answers directly what needs no specialist"
    examples = _EXAMPLES
    structured = True
    """It obeys `Assignment.schema`."""

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """Answer in one call. An empty, looping or cut answer fails.

        Raises:
            ContextOverflowError: what it reads does not fit the window. Nothing is left out: an answer from a part
                would look like one from the whole.
        """
        texts = [f"{source.name}:\n{neutral(source.text)}" for source in assignment.sources]
        asked = [assignment.instruction]
        if assignment.schema is not None:  # no model sees the schema that binds it
            asked.append(described(assignment.schema))
        parts = [Part(text, priority=0) for text in (*texts, *asked)]
        answer_tokens = desk.window_tokens // _ANSWER_SHARE
        try:
            prompt = await fit(parts, _builder(assignment), desk, answer_tokens)
        except ContextOverflowError:
            if not assignment.previous:
                raise
            plain = replace(assignment, feedback=(), previous="")  # asked anew, where a repair does not fit
            prompt = await fit(parts, _builder(plain), desk, answer_tokens)
        response = await desk.chat(
            prompt.messages,
            schema=assignment.schema,
            temperature=_AGAIN_TEMPERATURE if assignment.attempt > 1 else 0.0,
            seed=assignment.attempt,
        )
        text = response.text.strip()
        if assignment.schema is not None:  # the runtime checks it; languages, sums and loops are those of prose
            cut = length_check(response.finish)
            return Outcome(text, Verdict.FAILED, (cut,)) if cut else Outcome(text, Verdict.UNVERIFIED)
        for broken in (degeneration_check(text), length_check(response.finish)):
            if broken is not None:
                return Outcome(text, Verdict.FAILED, (broken,))
        text, quotes, citations = _quoted(text, assignment)
        checks = (*answer_checks(assignment.instruction, text), *quotes)
        if not checks:
            checks = (Evidence("call", passed=None, detail="answered without a check"),)
        return Outcome(text, Verdict.UNVERIFIED, checks, citations)


def _quoted(answer: str, assignment: Assignment) -> tuple[str, Sequence[Evidence], tuple[Citation, ...]]:
    """Who asks what a text says gets no quote that is not in it. Who wants a letter made of it is told of its own.

    A translation quotes in other words than the text's.
    """
    asked = assignment.instruction
    if not assignment.sources or names_a_language(asked):
        return answer, (), ()
    gated = gate_sources(answer, assignment.sources, asked)
    if is_asked(asked) or asked.rstrip().endswith("?"):
        return gated.text, gated.evidence(), gated.citations
    return answer, gated.noticed(), ()


def _builder(assignment: Assignment) -> Callable[[Sequence[str]], tuple[Message, ...]]:
    def build(texts: Sequence[str]) -> tuple[Message, ...]:
        asked = (Message("system", _SYSTEM), Message("user", "\n\n".join(texts)))
        findings = "; ".join(item.detail for item in assignment.feedback[:_MOST_FINDINGS])
        if not findings or not assignment.previous:
            return asked
        again = f"That answer did not pass its checks: {findings}. Answer the request again."
        return (*asked, Message("assistant", assignment.previous), Message("user", again))

    return build
