"""`@` in a task: a file, the answer of an earlier run, or a part of one. References travel, content stays in the store.

What a run reads of an earlier one is kept with it by name ("@k3j2qwer.s1"), as its documents are, so that a resume
reads the same again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nonet.agents.documents import DocumentInfo
from nonet.errors import DocumentError, RunNotFoundError
from nonet.graphs.records import part_text, workflow_of_run
from nonet.specialists import Source

if TYPE_CHECKING:
    from nonet.store import RunRecord, Store

MARK = "@"
LAST = "last"
_MENTION = re.compile(r"(?<![\w@/.])@(?:\"([^\"\n]+)\"|([^\s\"'`,;()\[\]{}<>]+))")
_TRAILING = ".:!?"
_PART = re.compile(r"s[1-9][0-9]{0,2}")
_LOOKS_LIKE_A_FILE = re.compile(r"/|\.[A-Za-z0-9]{1,5}$")
_TITLE_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Mentions:
    """A task with its references read."""

    task: str
    """With each reference as a name that the planner knows it by."""
    paths: tuple[Path, ...] = ()
    artifacts: tuple[str, ...] = ()
    """"@RUN" or "@RUN.s1", in full."""
    documents: tuple[str, ...] = ()
    """Of the collection, by name."""
    unknown: tuple[str, ...] = ()
    """What looks like a reference and names nothing; it stays in the task as it is."""


def read_mentions(store: Store, task: str, *, last: Sequence[str] = (LAST,)) -> Mentions:
    """Find the references of a task. What is nothing that exists ("@property") is plain text.

    Args:
        store: where runs and documents are.
        task: as the user wrote it.
        last: the runs that "@last" and "@s1" mean, the newest first.
    """
    paths: list[Path] = []
    artifacts: list[str] = []
    documents: list[str] = []
    unknown: list[str] = []

    def read(match: re.Match[str]) -> str:
        said = match[1] or match[2].rstrip(_TRAILING)
        rest = "" if match[1] else match[2][len(said) :]
        path = Path(os.path.expanduser(said))  # noqa: PTH111  Path.expanduser raises for an unknown user
        if _exists(path):
            paths.append(path)
            return path.name + rest
        if (artifact := _artifact(store, said, last)) is not None:
            artifacts.append(artifact)
            return artifact + rest
        if (document := _document(store, said)) is not None:
            documents.append(document)
            return document + rest
        if match[1] or _LOOKS_LIKE_A_FILE.search(said):
            unknown.append(said)
        return match[0]

    text = _MENTION.sub(read, task)
    return Mentions(text, tuple(paths), tuple(dict.fromkeys(artifacts)), tuple(documents), tuple(unknown))


def is_reference(name: str) -> bool:
    """Whether a run's document is really an earlier run's text."""
    return name.startswith(MARK)


def text_of(store: Store, name: str) -> str:
    """The text a reference names.

    Raises:
        DocumentError: the run is gone, or has no such part.
    """
    run, part = _run_of(store, name)
    return run.answer if part is None else part_text(run, part)


def info_of(store: Store, name: str) -> DocumentInfo:
    """What the planner may know of it. Raises as `text_of`."""
    run, part = _run_of(store, name)
    asked = run.task if part is None else next(each.instruction for each in run.subtasks if each.id == part)
    return DocumentInfo(name, " ".join(asked.split())[:_TITLE_CHARACTERS], len(text_of(store, name)))


def source_of(store: Store, name: str, specialist: str) -> Source:
    """As a specialist reads it: retrieval searches it as a document. Raises as `text_of`."""
    if specialist == "retrieval":
        return Source(name, text_of(store, name), "document")
    return Source(name, text_of(store, name), "artifact", info_of(store, name).title)


def full_name(store: Store, name: str) -> str:
    """The reference with the run's whole id. Raises as `text_of`."""
    run, part = _run_of(store, name)
    return f"{MARK}{run.id}" + (f".{part}" if part else "")


def _run_of(store: Store, name: str) -> tuple[RunRecord, str | None]:
    run_id, _, part = name.removeprefix(MARK).partition(".")
    try:
        run = store.runs.get(run_id)
    except RunNotFoundError as error:
        raise DocumentError(f"{name} names no run that is kept.", next_step=error.next_step) from error
    if part and part not in {each.id for each in run.subtasks}:
        there = ", ".join(each.id for each in run.subtasks) or "none"
        raise DocumentError(f"Run {run.id} has no finished part {part}.", next_step=f"Its finished parts: {there}.")
    if not part and not run.answer:
        raise DocumentError(f"Run {run.id} has no answer.", next_step=f"It is {run.status}; resume it first.")
    return run, part or None


def _artifact(store: Store, said: str, last: Sequence[str]) -> str | None:
    name, _, part = said.partition(".")
    if _PART.fullmatch(name) and not part:
        name, part = LAST, name
    if part and not _PART.fullmatch(part) and not _is_step(store, name, part, last):
        return None
    wanted = next(iter(last), "") if name == LAST else name
    if not wanted:
        return None
    if name == LAST:
        return full_name(store, f"{wanted}.{part}" if part else wanted)
    try:
        store.runs.resolve(wanted)
    except RunNotFoundError:
        return None
    return full_name(store, f"{wanted}.{part}" if part else wanted)


def _is_step(store: Store, name: str, part: str, last: Sequence[str]) -> bool:
    """Whether it is a step of a workflow's run; "@notes.md" is not, whatever run is called "notes"."""
    wanted = next(iter(last), "") if name == LAST else name
    try:
        run = store.runs.get(wanted) if wanted else None
    except RunNotFoundError:
        return False
    return run is not None and workflow_of_run(run) is not None and part in {each.id for each in run.subtasks}


def _document(store: Store, said: str) -> str | None:
    try:
        return store.documents.resolve(said)
    except DocumentError:
        return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
