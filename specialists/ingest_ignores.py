"""What `.gitignore`, `.nonetignore` and `.git/info/exclude` say of a path, as git reads them (gitignore(5)).

Below a folder that was named, those of the folders above it count too, up to the root of the repository it lies in.
What was named itself is in: patterns that would leave out the named folder, or one above it, are not held against it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pathspec import GitIgnoreSpec
from pathspec.pattern import Pattern

IGNORE_FILES = (".gitignore", ".nonetignore")
_GIT = ".git"
_MOST_IGNORE_BYTES = 1_000_000


class Rule(NamedTuple):
    """One line of an ignore file."""

    pattern: Pattern
    is_anchored: bool
    """It has a slash before its end, and so speaks of places from its file's folder on; else of names at any depth."""


class Ignore(NamedTuple):
    """The patterns of one ignore file; they speak of paths below its folder."""

    name: str
    rules: tuple[Rule, ...]
    folder: Path
    """Paths below it are judged; the file's own, or the one that was named, below the file's."""
    above: str = ""
    """The way from the file's folder to the one that was named, ending in a slash; empty where they are the same."""

    def says(self, path: Path, *, is_folder: bool) -> bool | None:
        """Whether the path is ignored; None where no line speaks of it. The last that does decides."""
        within = path.relative_to(self.folder).as_posix() + ("/" if is_folder else "")
        for rule in reversed(self.rules):
            if self._speaks(rule, within):
                return rule.pattern.include
        return None

    def _speaks(self, rule: Rule, within: str) -> bool:
        if not (self.above and rule.is_anchored):
            return rule.pattern.match_file(within) is not None
        match = rule.pattern.match_file
        return match(self.above + within) is not None and match(self.above) is None


def ignores_in(folder: Path) -> Iterator[Ignore]:
    """Those of the folder itself."""
    for name in IGNORE_FILES:
        if rules := _rules(folder / name):
            yield Ignore(name, rules, folder)


def ignores_above(folder: Path) -> Iterator[Ignore]:
    """Those that git would heed for a folder beside its own, the strongest last; none outside of a repository."""
    try:
        real = folder.resolve()
    except (OSError, RuntimeError):
        return
    root = next((each for each in (real, *real.parents) if os.path.lexists(each / _GIT)), None)
    if root is None:
        return
    if rules := _rules(_exclude(root / _GIT)):
        yield Ignore(".git/info/exclude", rules, folder, _way(root, real))
    between = [each for each in reversed(real.parents) if each.is_relative_to(root)]
    for each in between:
        for found in ignores_in(each):
            yield found._replace(folder=folder, above=_way(each, real))


def ignored_by(path: Path, ignores: Sequence[Ignore], *, is_folder: bool) -> str:
    """The file that leaves the path out; "" where none does. As git has it, the last that says anything decides."""
    for ignore in reversed(ignores):
        said = ignore.says(path, is_folder=is_folder)
        if said is not None:
            return ignore.name if said else ""
    return ""


def _way(top: Path, folder: Path) -> str:
    return "" if folder == top else f"{folder.relative_to(top).as_posix()}/"


def _rules(path: Path) -> tuple[Rule, ...]:
    lines = [line for line in _text(path).splitlines() if line]
    patterns = GitIgnoreSpec.from_lines(lines).patterns
    rules = (Rule(pattern, _is_anchored(line)) for pattern, line in zip(patterns, lines, strict=True))
    return tuple(rule for rule in rules if rule.pattern.include is not None)


def _is_anchored(line: str) -> bool:
    return "/" in line.removeprefix("!").rstrip().removesuffix("/")


def _exclude(git: Path) -> Path:
    """Where a repository keeps what is ignored in this copy alone; of another worktree, in the folder they share."""
    if not git.is_file():
        return git / "info" / "exclude"
    place = git.parent / _text(git).removeprefix("gitdir:").strip()
    return place / (_text(place / "commondir").strip() or ".") / "info" / "exclude"


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size <= _MOST_IGNORE_BYTES:
            return path.read_text("utf-8", errors="replace")
    except (OSError, ValueError):  # it cannot be read: nothing is ignored by it
        pass
    return ""
