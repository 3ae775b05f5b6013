"""Reading what is asked: the evaluation data of a clone, or JSON Lines of the user's own in the same forms."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

import nonet
from nonet.errors import UsageError
from nonet.eval.forms import DocumentRow, Library, Place, Row, form_of, library_of
from nonet.eval.items import Item, Likely
from nonet.eval.suites import Suite, Work
from nonet.specialists.budget import split_chars

_COLLECTIONS: Final = ("musique", "hotpotqa", "pubmedqa")
"""Sets whose documents whole tasks look things up in."""
_TEXTS: Final = (".txt", ".md")
_PIECE_CHARACTERS: Final = (1000, 2000)
_LARGEST_BYTES: Final = 500_000_000
_FORMS: Final = "docs/eval.md shows the forms of every suite."


def default_folder() -> Path | None:
    """The evaluation data of the clone that this program runs from; None where it was installed from a package."""
    assert nonet.__file__ is not None
    folder = Path(nonet.__file__).resolve().parents[2] / "benchmarks" / "data"
    return folder if folder.is_dir() else None


def read_suite(suite: Suite, data: Path | None) -> list[Item]:
    """The items of a suite.

    Args:
        data: a folder with the suite's sets, or a file in one of its forms; None: the data of the clone.

    Raises:
        UsageError: there is none, or a line is not in the form; the line is named.
    """
    if suite.work is Work.SCORE:
        return _texts(data)
    if data is not None and not data.is_dir():
        return _unique(_read_file(suite, data), data)
    if suite.work is Work.PROBE and data is None:
        with_requests = files("nonet.eval") / "data" / "bias.jsonl"
        return _parsed(suite, with_requests.read_text("utf-8"), "bias.jsonl", Place("bias", 0))
    folder = data or default_folder()
    if folder is None:
        raise UsageError(
            "The evaluation data does not come with the installed package.",
            next_step="Name it with --data: the folder benchmarks/data of nonet's repository, or a JSON Lines file of "
            f"your own. {_FORMS}",
        )
    found = [path for name in suite.sets if (path := _set_file(folder, name)) is not None]
    if not found:
        missing = " or ".join(f"{name}.dev.jsonl" for name in suite.sets) or "a set of this suite"
        raise UsageError(
            f"{folder} does not hold what the suite {suite.name} asks: {missing}.",
            next_step=f"Name a folder that does, or a JSON Lines file, with --data. {_FORMS}",
        )
    return [item for path in found for item in _unique(_read_file(suite, path), path)]


def _texts(data: Path | None) -> list[Item]:
    """A text, or the texts of a folder, in pieces that any window holds."""
    if data is None:
        raise UsageError("Which text?", next_step="Name a text file with --data.")
    paths = sorted(each for each in data.iterdir() if each.suffix in _TEXTS) if data.is_dir() else [data]
    items = []
    for path in paths:
        text = _text(path)
        pieces = [text[start:end] for start, end in split_chars(text, _PIECE_CHARACTERS, overlap=0)]
        items += [
            Item(f"{path.name}/{number}", path.name, piece, (Likely(),))
            for number, piece in enumerate(pieces, 1)
            if piece.strip()
        ]
    if not items:
        raise UsageError(f"{data} has no text.", next_step="Name a text file, or a folder of .txt and .md files.")
    return items


def _set_file(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}.dev.jsonl", folder / f"{name}.jsonl")
    return next((path for path in candidates if path.is_file()), None)


def _read_file(suite: Suite, path: Path) -> list[Item]:
    group = _stem(path)
    library = _library(path.parent, group, titled=True)
    place = Place(group, 0, library)
    if suite.sets == ("composite",):
        place = _with_collections(place, path.parent)
    return _parsed(suite, _text(path), str(path), place)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".jsonl").removesuffix(".dev")


def _unique(items: list[Item], path: Path) -> list[Item]:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise UsageError(f"{path} has two items called {item.id}.", next_step="Give each its own id.")
        seen.add(item.id)
    return items


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UsageError(f"{path} is larger than {_LARGEST_BYTES // 1_000_000} MB.", next_step="Take a part of it.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{path} cannot be read: {reason}.", next_step="Name a JSON Lines file or a folder."
        ) from error


def _lines(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{name}, line {number}: it is not JSON.", next_step=_FORMS) from error
        if not isinstance(value, dict):
            raise UsageError(f"{name}, line {number}: it is not a JSON object.", next_step=_FORMS)
        rows.append((number, value))
    return rows


def _parsed(suite: Suite, text: str, name: str, place: Place) -> list[Item]:
    items: list[Item] = []
    for number, value in _lines(text, name):
        form = form_of(suite.forms, value)
        row = _row(form, value, f"{name}, line {number}")
        here = Place(place.group, number, place.library, place.collections, place.candidates)
        items += row.items(here)
    if not items:
        raise UsageError(f"{name} asks nothing that the suite {suite.name} could measure.", next_step=_FORMS)
    return items


def _row(form: type[Row], value: dict[str, Any], where: str) -> Row:
    try:
        return form.model_validate(value)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:2])
        raise UsageError(f"{where}: {said}.", next_step=f"Its form: {form.__doc__} {_FORMS}") from error


def _library(folder: Path, name: str, *, titled: bool) -> Library:
    """The documents beside a file, none where there are none."""
    path = folder / f"{name}.docs.jsonl"
    if not path.is_file():
        return Library()
    rows = []
    for number, value in _lines(_text(path), str(path)):
        try:
            rows.append(DocumentRow.model_validate(value))
        except ValidationError as error:
            raise UsageError(f"{path}, line {number}: it is no document.", next_step=_FORMS) from error
    return library_of(rows, titled=titled)


def _with_collections(place: Place, folder: Path) -> Place:
    """With the documents of the sets that whole tasks were made of."""
    collections = {name: _library(folder, name, titled=False) for name in _COLLECTIONS}
    candidates: dict[str, dict[frozenset[str], list[str]]] = {}
    for name in _COLLECTIONS:
        path = _set_file(folder, name)
        rows = _lines(_text(path), str(path)) if path is not None else []
        candidates[name] = {
            frozenset(row["gold_doc_ids"]): list(row["candidate_doc_ids"])
            for _, row in rows
            if "gold_doc_ids" in row and "candidate_doc_ids" in row
        }
    return Place(place.group, 0, place.library, collections, candidates)
