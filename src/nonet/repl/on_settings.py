"""What the session is to be like: settings, budget, name; and what of it is to be kept in files."""

from __future__ import annotations

import shlex
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.errors import DocumentError, UsageError
from nonet.export import FORMATS, exported
from nonet.graphs.records import result_of_run
from nonet.graphs.scope import check_collection
from nonet.render import columns, text
from nonet.repl import preferences
from nonet.repl.on_runs import named
from nonet.repl.pastes import opened
from nonet.settings import ALL_COLLECTIONS, Settings
from nonet.text import one_line, to_json

if TYPE_CHECKING:
    from nonet.repl.desk import Desk

_LIMITS = ("calls", "tokens", "seconds", "joules")
_SCOPE = {
    "collection": "collection", "type": "only_type", "path": "only_path", "since": "only_since", "until": "only_until",
}  # fmt: skip
"""What a search can be kept to, and the setting that says so."""


async def set_(desk: Desk, words: str) -> None:
    """Show the settings, or change one for this session."""
    key, _, value = words.partition(" ")
    value = value.strip()
    if not words:
        await _show_settings(desk)
    elif key in preferences.OWN:
        await _set_own(desk, key, value)
    elif key not in Settings.model_fields:
        raise UsageError(f"There is no setting {key!r}.", next_step="/set shows them all.")
    elif key == "db":
        raise UsageError("A session stays with its database.", next_step="Leave, and start with `nonet --db FILE`.")
    else:
        await desk.reopen({key: _value(value) if value else None})
        now = getattr(desk.door.loaded.settings, key)
        desk.engine.show([text(f"{key} = {'unset' if now is None else _word(now)}")])


async def _show_settings(desk: Desk) -> None:
    loaded = desk.door.loaded
    values = loaded.settings.model_dump(mode="json")
    rows = []
    for key, value in values.items():
        place = "this session" if key in desk.changed else loaded.origins.get(key, "")
        rows.append([key, "-" if value is None else _word(value), place])
    rows += [[key, "", "one of " + ", ".join(choices)] for key, choices in preferences.OWN.items()]
    desk.engine.show(columns(rows, ("cyan", "", "dim"), indent=""))


async def _set_own(desk: Desk, key: str, value: str) -> None:
    if value not in preferences.OWN[key]:
        raise UsageError(f"{key} is one of: {', '.join(preferences.OWN[key])}.")
    if key == "approve":
        talk = await desk.talk()
        talk.state["approve"] = value == "on"
        await talk.keep()
    else:
        try:
            preferences.save(**{key: value == "on" if key == "plain" else value})
        except OSError as error:
            raise UsageError(f"It could not be kept: {error.strerror}.") from error
        desk.engine.tell({"is": "preferences"})
    later = " (from the next session on)" if key == "plain" else ""
    desk.engine.show([text(f"{key} = {value}{later}")])


def _value(words: str) -> Any:  # noqa: ANN401  settings validate it
    """As TOML would read it; a bare word is a text."""
    try:
        value = tomllib.loads(f"value = {words}")["value"]
    except tomllib.TOMLDecodeError:
        return words
    return value.isoformat() if isinstance(value, date) else value


def _word(value: Any) -> str:  # noqa: ANN401  a value of a setting
    return value if isinstance(value, str) else to_json(value) if not isinstance(value, Path) else str(value)


async def theme(desk: Desk, words: str) -> None:
    """Choose the colours."""
    if not words:
        desk.engine.show([text(f"The theme is {preferences.load().theme}; there are {', '.join(preferences.THEMES)}.")])
    else:
        await _set_own(desk, "theme", words)


async def budget(desk: Desk, words: str) -> None:
    """What each run may spend: show it, limit it, or lift the limits."""
    parts = words.split()
    if parts == ["off"]:
        await desk.reopen({f"max_{name}": None for name in _LIMITS})
    elif parts:
        if len(parts) % 2 or any(name not in _LIMITS for name in parts[::2]):
            raise UsageError("/budget calls 20 tokens 5000, /budget off.", next_step=f"Limits: {', '.join(_LIMITS)}.")
        limits = dict(zip(parts[::2], parts[1::2], strict=True))
        await desk.reopen({f"max_{name}": None if most == "off" else _value(most) for name, most in limits.items()})
    said = desk.budget()
    desk.engine.show([text(f"Each run may use {said}." if said else "A run may use as much as it needs.")])


async def only(desk: Desk, words: str) -> None:
    """Which documents are searched: show it, keep it to some, or search all again."""
    try:
        parts = shlex.split(words)
    except ValueError as error:
        raise UsageError(f"That cannot be read: {error}.") from error
    if parts == ["off"]:
        await desk.reopen({**dict.fromkeys(_SCOPE.values(), ""), "collection": ALL_COLLECTIONS})
    elif parts:
        if len(parts) % 2 or any(name not in _SCOPE for name in parts[::2]):
            raise UsageError("/only collection mill type pdf, /only off.", next_step=f"There are: {', '.join(_SCOPE)}.")
        wanted = {
            _SCOPE[name]: "" if value == "off" else value for name, value in zip(parts[::2], parts[1::2], strict=True)
        }
        if "collection" in wanted:
            wanted["collection"] = wanted["collection"] or ALL_COLLECTIONS
        check_collection(desk.store, None if (name := wanted.get("collection")) == ALL_COLLECTIONS else name)
        await desk.reopen(wanted)
    now = desk.door.loaded.settings
    said = [f"{name} {one_line(value)}" for name, key in _SCOPE.items() if (value := getattr(now, key))]
    said = [each for each in said if each != f"collection {ALL_COLLECTIONS}"]
    desk.engine.show([text(f"Only these are searched: {', '.join(said)}." if said else "All documents are searched.")])


async def save(desk: Desk, words: str) -> None:
    """Name the session, or write the last answer into a file."""
    if not words:
        raise UsageError("/save NAME names the session; /save FILE.md writes the last answer into a file.")
    if "/" not in words and "." not in words:
        desk.store.sessions.rename(desk.record.id, words)
        desk.renamed(words)
        desk.engine.show(
            [text(f"This session is called {one_line(words)}: nonet --session {one_line(words)} comes back to it.")]
        )
        return
    record = named(desk, "last")
    _write(desk, opened(words), record.answer + "\n")


async def export(desk: Desk, words: str) -> None:
    """The session, or one run, as a document."""
    parts = words.split()
    form = next((part for part in parts if part in FORMATS), "")
    path = next((part for part in parts if "." in part or "/" in part), "")
    runs = [part for part in parts if part not in {form, path}]
    form = form or Path(path).suffix.removeprefix(".").replace("htm", "html").replace("htmll", "html") or "md"
    if form not in FORMATS:
        raise UsageError(f"There is no format {form!r}.", next_step=f"There are: {', '.join(FORMATS)}.")
    records = [named(desk, run) for run in runs] or [
        desk.store.runs.get(run) for run in desk.store.sessions.runs(desk.record.id)
    ]
    if not records:
        raise UsageError("Nothing was run in this session yet.")
    title = desk.record.name or f"Session {desk.record.id}"
    written = exported([result_of_run(record) for record in records], form, title=title)
    _write(desk, opened(path or f"nonet-{desk.record.id}.{form}"), written)


def _write(desk: Desk, path: Path, content: str) -> None:
    """A new file; one that is there is left alone."""
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(content)
    except FileExistsError:
        raise DocumentError(
            f"{path} exists already.", kept="It is as it was.", next_step="Name another file."
        ) from None
    except OSError as error:
        raise DocumentError(f"{path} cannot be written: {error.strerror}.") from error
    desk.engine.show([text(f"written  {path}")])
