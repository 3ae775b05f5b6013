"""The files that `--file` names: read for the code specialist, and changed when its diff is accepted.

Nothing outside of the named files is ever written, a file that changed meanwhile is left alone, and either all are
written or none.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.errors import UsageError
from nonet.terminal import say

if TYPE_CHECKING:
    from nonet.specialists import Workspace

_MOST_FILE_BYTES = 256 << 10
_MOST_PROJECT_BYTES = 64 << 20
_MOST_PROJECT_FILES = 5000
_MARK = "\ufeff"
_WRITERS = 0o222
"""Of a file's mode; root may write without any, and asked for none."""
_SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".tox",
     ".pytest_cache", ".demo"}
)  # fmt: skip
"""Folders that no test needs a copy of."""
_DIFF = re.compile(r"(?P<fence>`{3,})diff\n(?P<diff>.*)\n(?P=fence)\s*", re.DOTALL)
_NO_NEWLINE = "\\ No newline at end of file"
_INNER_MARKS = {ord(mark): 0xF0000 + ord(mark) for mark in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"}
"""What Python, and whatthepatch with it, takes for the end of a line, and no diff does: private signs stand for it."""
_MARKS_AGAIN = {private: mark for mark, private in _INNER_MARKS.items()}


@dataclass(frozen=True, slots=True)
class Given:
    """What was read from disk."""

    root: Path
    """The project: the folder that paths are relative to."""
    workspace: Workspace


def read_given(paths: Sequence[Path], test_command: str | None) -> Given | None:
    """The files to change and, for the tests, a copy of the project around them; None if no file was given.

    Raises:
        UsageError: a file is missing, no text, too large or a link; the project is too large; no such test command.
    """
    if not paths:
        if test_command is not None:
            raise UsageError("--test-command needs --file.", next_step="Name the files that may change with --file.")
        return None
    root = _project(paths)
    files: dict[str, str] = {}
    for path in paths:
        name = path.resolve().relative_to(root).as_posix()
        files[name] = _read_text(path).removeprefix(_MARK).replace("\r\n", "\n")
    return _given(root, files, test_command)


def _given(root: Path, files: Mapping[str, str], test_command: str | None) -> Given:
    from nonet.specialists import Workspace  # noqa: PLC0415

    words, readable = _test_words(test_command)
    project = dict(_copy(root)) if words else {}
    origin = {"root": str(root), "test_command": test_command}
    return Given(root, Workspace(files, words, project, readable, origin))


def given_again(origin: Mapping[str, Any], files: Mapping[str, str]) -> Given | None:
    """The files of a run that goes on, as they were when it began; None if it had none.

    The project around them is read anew for its tests. Files that have changed since are seen when they are to be
    written: then none is.

    Raises:
        UsageError: the project's folder is gone or too large; the test command is not there any more.
    """
    if not files or not isinstance(origin.get("root"), str):
        return None
    root = Path(origin["root"])
    if not root.is_dir():
        raise UsageError(f"The folder {root}, which holds the run's files, is gone.", kept="The run is kept.")
    given = _given(root, files, origin.get("test_command"))
    if not given.workspace.project:
        return given
    project = {**given.workspace.project, **{name: text.encode() for name, text in files.items()}}
    return replace(given, workspace=replace(given.workspace, project=project))


def _project(paths: Sequence[Path]) -> Path:
    """The nearest folder with a .git above the files, else the current one if they are in it, else their own."""
    for path in paths:
        if os.path.islink(path):  # noqa: PTH114  Path's own raise for a name that is too long
            raise UsageError(f"{path} is a link.", next_step="Name the file that it points to.")
        if not os.path.isfile(path):  # noqa: PTH113
            other = os.path.lexists(path)
            said = f"{path} is a folder, a pipe or a device, not a file." if other else f"There is no file {path}."
            raise UsageError(said, kept="Nothing was changed.")
    folders = [path.resolve().parent for path in paths]
    common = Path(os.path.commonpath(folders))
    for folder in (common, *common.parents):
        if (folder / ".git").exists():
            return folder
    here = Path.cwd().resolve()
    return here if common.is_relative_to(here) else common


def _read_text(path: Path) -> str:
    content = _read(path, _MOST_FILE_BYTES)
    if len(content) > _MOST_FILE_BYTES:
        raise UsageError(f"{path} is larger than {_MOST_FILE_BYTES >> 10} KiB: no small model can change it whole.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8.") from error
    if "\0" in text:
        raise UsageError(f"{path} is no text: it has bytes of zero.")
    return text


def _read(path: Path, most: int) -> bytes:
    """The file's bytes, of a larger one a byte more than `most`. Raises UsageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.", kept="Nothing was changed.") from error


def _test_words(command: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command with its program found, and the folders that this program needs besides the system's."""
    if command is None:
        return (), ()
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"The test command cannot be read: {error}.") from error
    if not words:
        raise UsageError("The test command is empty.")
    if words[0] in {"python", "python3"}:
        found: str | None = sys.executable
    else:
        found = shutil.which(words[0])
    if found is None:
        raise UsageError(f"The test command {words[0]!r} is not on the path.")
    program = Path(found).absolute()
    homes = [program.parent.parent, program.resolve().parent.parent]
    readable = tuple(dict.fromkeys(str(home) for home in homes if home not in {Path("/"), Path("/usr")}))
    return (str(program), *words[1:]), readable


def _copy(root: Path) -> Iterator[tuple[str, bytes]]:
    size = count = 0
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _SKIPPED and not Path(folder, name).is_symlink())
        for name in files:
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            content = _read(path, _MOST_PROJECT_BYTES)
            size, count = size + len(content), count + 1
            if size > _MOST_PROJECT_BYTES or count > _MOST_PROJECT_FILES:
                raise UsageError(
                    f"The project at {root} is too large to be copied into the sandbox "
                    f"(over {_MOST_PROJECT_BYTES >> 20} MiB or {_MOST_PROJECT_FILES} files).",
                    kept="Nothing was run or changed.",
                    next_step="Ask without --test-command, or from a smaller folder.",
                )
            yield path.relative_to(root).as_posix(), content


def diffs_in(texts: Sequence[str]) -> list[str]:
    """The diffs among answers of the code specialist."""
    return [f"{match['diff']}\n" for text in texts if (match := _DIFF.fullmatch(text))]


def new_texts(given: Given, diffs: Sequence[str]) -> dict[str, str]:
    """The files' texts with the diffs applied.

    Raises:
        UsageError: a diff names a file that was not given, or does not fit the file.
    """
    import whatthepatch  # noqa: PLC0415
    from whatthepatch.exceptions import HunkException  # noqa: PLC0415

    texts: dict[str, str] = dict(given.workspace.files)
    for diff in diffs:
        for part in whatthepatch.parse_patch(diff.translate(_INNER_MARKS).split("\n")):
            name = part.header.new_path if part.header is not None else ""
            if name not in given.workspace.files:
                raise UsageError(f"The diff changes {name!r}, which was not given.", kept="No file was changed.")
            old = texts[name].translate(_INNER_MARKS)
            try:
                lines = whatthepatch.apply_diff(part, _lines_of(old))
            except HunkException as error:
                raise UsageError(f"The diff does not fit {name}: {error}.", kept="No file was changed.") from error
            text = "".join(f"{line}\n" for line in lines)
            texts[name] = (text if _ends_with_newline(part.text, old) else text[:-1]).translate(_MARKS_AGAIN)
    return {name: text for name, text in texts.items() if text != given.workspace.files[name]}


def _lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _ends_with_newline(diff: str, old: str) -> bool:
    """Whether the file does after the change. The mark below a line that is kept or added says that it does not."""
    lines = diff.split("\n")
    marked = [lines[number - 1][:1] for number, line in enumerate(lines) if number and line == _NO_NEWLINE]
    if not marked:
        return not old or old.endswith("\n")
    return not {" ", "+"} & set(marked)


def apply(given: Given, changed: Mapping[str, str]) -> list[str]:
    """Write the new texts; their paths, relative to the project.

    Raises:
        UsageError: a file is not what it was when it was read, or is read-only: no file was changed. Or the disk failed
            in between: it says which files were changed.
    """
    for name in changed:
        path = given.root / name
        if path.is_symlink() or not path.is_file() or _on_disk(path) != given.workspace.files[name]:
            raise UsageError(f"{name} has changed since it was read.", kept="No file was changed.")
        if not path.stat().st_mode & _WRITERS or not all(os.access(each, os.W_OK) for each in (path, path.parent)):
            raise UsageError(
                f"{name} is read-only.", kept="No file was changed.", next_step="Make it writable, or apply the diff."
            )
    written: list[tuple[str, Path]] = []
    replaced: list[str] = []
    try:
        for name, text in changed.items():
            written.append((name, _beside(given.root / name, _with_ends(given.root / name, text).encode())))
        for name, new in written:
            new.replace(given.root / name)
            replaced.append(name)
    except OSError as error:
        raise UsageError(
            f"The change cannot be written: {error.strerror or error}.",
            kept=f"Changed already: {', '.join(replaced)}." if replaced else "No file was changed.",
            next_step="Apply the diff by hand.",
        ) from error
    finally:
        for _, new in written:
            new.unlink(missing_ok=True)
    return [name for name, _ in written]


def _with_ends(path: Path, text: str) -> str:
    """The new text with the file's byte order mark and line ends: lines that stay keep theirs, others get the usual."""
    raw = path.read_bytes().decode("utf-8")
    mark, raw = (_MARK, raw[1:]) if raw.startswith(_MARK) else ("", raw)
    if "\r\n" not in raw:
        return mark + text
    had = raw.split("\n")
    plain = [line.removesuffix("\r") for line in had[:-1]] + had[-1:]
    usual = "\r" if 2 * raw.count("\r\n") >= len(had) - 1 else ""
    new = [f"{line}{usual}" for line in text.split("\n")]
    new[-1] = new[-1].removesuffix("\r")
    for before, after, count in SequenceMatcher(None, plain, text.split("\n"), autojunk=False).get_matching_blocks():
        for number in range(count):
            if before + number < len(had) - 1 and after + number < len(new) - 1:
                new[after + number] = had[before + number]
    return mark + "\n".join(new)


def _on_disk(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace").removeprefix(_MARK).replace("\r\n", "\n")


def _beside(path: Path, content: bytes) -> Path:
    """A file with the content and the mode of `path`, in the same folder."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(path, name)
    return Path(name)


def settle(given: Given | None, texts: Sequence[str], *, failed: bool, wanted: bool, may_ask: bool) -> list[str]:
    """Apply what was proposed where it was asked for, or where the user says yes; the files that were changed.

    Raises:
        UsageError: as `new_texts` and `apply`.
    """
    diffs = diffs_in(texts)
    if given is None or not diffs:
        return []
    if failed:
        if wanted:
            say("Nothing was applied: the change did not pass its checks.")
        return []
    changed = new_texts(given, diffs)
    if not wanted and not (may_ask and _says_yes(list(changed))):
        return []
    done = apply(given, changed)
    say(f"Changed: {', '.join(done)}")
    return done


def _says_yes(names: list[str]) -> bool:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    say(f"Apply this to {', '.join(names)}? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
