"""Answers what needs no specialist: small talk, arithmetic, general knowledge. One call, never verified."""

from __future__ import annotations

from nonet.runtimes import Finish, Message
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.text import degeneration

_SYSTEM = "Answer the request directly and briefly."

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

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """Answer in one call. An empty, looping or cut answer fails."""
        parts = [f"{source.name}:\n{source.text}" for source in assignment.sources]
        parts.append(assignment.instruction)
        messages = (Message("system", _SYSTEM), Message("user", "\n\n".join(parts)))
        response = await desk.chat(messages)
        text = response.text.strip()
        if reason := degeneration(text):
            return Outcome(text, Verdict.FAILED, (Evidence("degeneration", passed=False, detail=reason),))
        if response.finish is Finish.LENGTH:
            cut = Evidence("length", passed=False, detail="the answer was cut at the model's limit")
            return Outcome(text, Verdict.FAILED, (cut,))
        return Outcome(text, Verdict.UNVERIFIED, (Evidence("call", passed=None, detail="answered without a check"),))
