"""How a summary is asked for: of a text as a whole, of a chunk, of one part of a long summary."""

from __future__ import annotations

from dataclasses import dataclass

from nonet.runtimes import Message
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
        material = self.material
        wanted = f"that answers this {self._kind} from it: {material.asked}" if material.focus else "that sums it up."
        request = f"Write one paragraph of about {most_words} words{material.options.phrase} {wanted}"
        return render("summarization_part", text=neutral(text), request=request, feedback=self._refused())

    @property
    def _kind(self) -> str:
        asked = self.material.asked.rstrip()
        return "question" if asked.endswith("?") or is_asked(asked) else "request"

    def _request(self) -> str:
        """A plain request is worded for small models; one that asks for something is passed on as it is."""
        if not self.material.focus:
            return f"Summarize {self.material.wish.phrase}{self.material.options.phrase}."
        if self.material.question:
            wish = f"{self.material.wish.phrase}{self.material.options.phrase}"
            return f"Summarize {wish} what the text says about this {self._kind}: {self.material.question}"
        request = self.material.request.rstrip()
        return request if request.endswith((".", "?", "!")) else f"{request}."

    def _refused(self) -> str:
        failed = [item.detail for item in self.feedback if item.passed is not True]
        return f"An earlier summary was refused: {'; '.join(failed[:3])}.\n" if failed else ""
