"""How a summary is asked for: of a text as a whole, of a chunk, of one part of a long summary."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nonet.runtimes import Message
from nonet.specialists.focused import asks_for_all
from nonet.specialists.material import Material
from nonet.specialists.protocol import Evidence
from nonet.specialists.questions import is_asked
from nonet.specialists.templates import render
from nonet.specialists.text import neutral


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of one summary."""

    material: Material
    feedback: tuple[Evidence, ...] = ()

    def final(self, text: str) -> tuple[Message, ...]:
        """Of a text as a whole, of what of it speaks of the question, or of the summaries of its chunks."""
        return render("summarization", text=neutral(text), request=self._request(), feedback=self._refused())

    def chunk(self, text: str) -> tuple[Message, ...]:
        """Two or three sentences of a chunk, of which a summary is to be made."""
        asked = self.material.question or self.material.request
        focus = f" The question is: {asked}" if self.material.focus else ""
        return render("summarization_map", text=neutral(text), focus=focus)

    def part(self, text: str, most_words: int) -> tuple[Message, ...]:
        """One paragraph of the summary itself."""
        request = self._paragraph(most_words, "it")
        return render("summarization_part", text=neutral(text), request=request, feedback=self._refused())

    def _paragraph(self, most_words: int, text: str) -> str:
        material = self.material
        wanted = f"answers this {self._kind} from {text}: {material.asked}" if material.focus else "sums it up."
        phrase = f"{material.options.phrase}," if material.options.phrase else ""
        return f"Write one paragraph of about {most_words} words{phrase} that {wanted}"

    @property
    def _kind(self) -> str:
        asked = self.material.asked.rstrip()
        return "question" if asked.endswith("?") or is_asked(asked) else "request"

    def _request(self) -> str:
        """A plain request is worded for small models; one that asks for something is passed on as it is.

        A wish for so many words is worded as for a part of a long summary: so small models answer QMSum's questions
        better than where they are to "summarize in at most 70 words what the text says" (docs/summarization.md).
        """
        wish = self.material.wish
        if not self.material.focus:
            return f"Summarize {wish.phrase}{self.material.options.phrase}."
        if wish.words and not replace(wish, words=None).stated and not asks_for_all(self.material.request):
            return self._paragraph(wish.words, "the text")
        if self.material.question:
            wanted = f"{wish.phrase}{self.material.options.phrase}"
            return f"Summarize {wanted} what the text says about this {self._kind}: {self.material.question}"
        request = self.material.request.rstrip()
        return request if request.endswith((".", "?", "!")) else f"{request}."

    def _refused(self) -> str:
        failed = [item.detail for item in self.feedback if item.passed is not True]
        return f"An earlier summary was refused: {'; '.join(failed[:3])}.\n" if failed else ""
