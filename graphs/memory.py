"""What a session remembers: which texts were made and what is known, bounded; never a history of what was said.

A reference is a line, whatever the text's length; the text itself stays in the store and reaches a specialist only
when a task refers to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from nonet.specialists import Verdict

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult, SubtaskResult

MOST_ARTIFACTS = 24
MOST_FACTS = 32
_ABOUT_CHARACTERS = 160
_DEFINED = re.compile(r"^[ \t]*(?:async )?(?:def|class)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_FENCE = re.compile(r"^```[ \t]*([\w+#]+)", re.MULTILINE)
_SHORT_ANSWER = 200

Kind = Literal["code", "text"]


@dataclass(frozen=True, slots=True)
class ArtifactReference:
    """A text that was made in the session."""

    name: str
    """"@RUN.s1", or "@RUN" for the whole answer of a run of several parts."""
    run: str
    specialist: str
    """Empty for a whole answer."""
    about: str
    """The beginning of what was asked."""
    kind: Kind
    verdict: str
    language: str = ""
    """Of code."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a later task may refer to."""

    kind: Literal["document", "defined", "found"]
    """A document that was read; a name that code defines; an answer that was looked up and quoted."""
    text: str
    source: str
    """The artifact, or the run that read the document."""


@dataclass(slots=True)
class Memory:
    """The newest stand last; what is over the bounds is forgotten, the oldest first."""

    artifacts: list[ArtifactReference] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def note(self, result: RunResult) -> None:
        """Remember what a run made."""
        self.forget(result.run)
        made = [
            subtask for subtask in result.subtasks if subtask.verdict not in {None, Verdict.FAILED} and subtask.text
        ]
        for subtask in made:
            self.artifacts.append(_reference(result.run, subtask))
            self.facts += _facts(result.run, subtask)
        if len(made) > 1:
            about, verdict = _line(result.task), str(result.verdict)
            self.artifacts.append(ArtifactReference(f"@{result.run}", result.run, "", about, "text", verdict))
        if result.plan is not None:
            read = dict.fromkeys(name for subtask in result.plan.subtasks for name in subtask.documents)
            self.facts += [Fact("document", name, result.run) for name in read if not name.startswith("@")]
        del self.artifacts[:-MOST_ARTIFACTS]
        del self.facts[:-MOST_FACTS]

    def forget(self, run: str) -> None:
        """Whatever came of a run."""
        self.artifacts = [each for each in self.artifacts if each.run != run]
        self.facts = [each for each in self.facts if each.source.removeprefix("@").partition(".")[0] != run]

    def last_run(self) -> list[ArtifactReference]:
        """What the last run made, its parts first."""
        return [each for each in self.artifacts if each.run == self.artifacts[-1].run] if self.artifacts else []

    def summary(self, characters: int) -> str:
        """The memory in words, at most so long: the newest stay whole, the oldest go."""
        lines = [f"{each.name}: {each.kind} for: {each.about}" for each in self.artifacts]
        lines += [f"{each.kind}: {each.text} ({each.source})" for each in self.facts]
        kept: list[str] = []
        room = characters
        for line in reversed(lines):
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        return "\n".join(reversed(kept))

    def to_json(self) -> dict[str, Any]:
        """For the store."""
        return {"artifacts": [asdict(each) for each in self.artifacts], "facts": [asdict(each) for each in self.facts]}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """From what `to_json` gave."""
        artifacts = [ArtifactReference(**each) for each in kept.get("artifacts", ())]
        return cls(artifacts, [Fact(**each) for each in kept.get("facts", ())])


def _reference(run: str, subtask: SubtaskResult) -> ArtifactReference:
    is_code = subtask.specialist == "code"
    fence = _FENCE.search(subtask.text)
    return ArtifactReference(
        name=f"@{run}.{subtask.id}",
        run=run,
        specialist=subtask.specialist,
        about=_line(subtask.instruction),
        kind="code" if is_code else "text",
        verdict=str(subtask.verdict),
        language=(fence[1].lower() if fence else "python") if is_code else "",
    )


def _facts(run: str, subtask: SubtaskResult) -> Iterable[Fact]:
    name = f"@{run}.{subtask.id}"
    if subtask.specialist == "code":
        for defined in dict.fromkeys(_DEFINED.findall(subtask.text)):
            yield Fact("defined", defined, name)
    elif subtask.citations and len(subtask.text) <= _SHORT_ANSWER:
        yield Fact("found", f"{_line(subtask.instruction)} {_line(subtask.text)}", name)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _ABOUT_CHARACTERS else line[: _ABOUT_CHARACTERS - 1] + "\u2026"
