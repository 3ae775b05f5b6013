"""What the user chose for the session's looks and keys; read before the first prompt, so with nothing heavy."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

EDITING = ("emacs", "vi")
THEMES = ("auto", "light", "dark", "contrast", "mono")
OWN = {"editing": EDITING, "plain": ("on", "off"), "approve": ("on", "off"), "theme": THEMES}
"""What /set knows beside the settings of nonet, with its values."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """Kept in `repl.json` in the user's state folder."""

    theme: str = "auto"
    editing: str = "emacs"
    plain: bool = False
    """Lines only, nothing redrawn: for screen readers."""


def folder() -> Path:
    """The user's state folder of nonet."""
    from platformdirs import user_state_path  # noqa: PLC0415  nothing at import

    return user_state_path("nonet", appauthor=False)


def load() -> Preferences:
    """As kept; a value that is not known any more counts as not given, and so does a file that cannot be read."""
    try:
        kept = json.loads((folder() / "repl.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Preferences()
    known = kept if isinstance(kept, dict) else {}
    preferences = Preferences()
    for key, choices in (("theme", THEMES), ("editing", EDITING), ("plain", (True, False))):
        if known.get(key) in choices:
            preferences = replace(preferences, **{key: known[key]})
    return preferences


def save(**changed: Any) -> Preferences:  # noqa: ANN401  any field
    """Keep the change; the preferences with it. Raises OSError."""
    new = replace(load(), **changed)
    write_private(folder() / "repl.json", json.dumps(asdict(new)) + "\n")
    return new


def write_private(path: Path, text: str) -> None:
    """Write a file that only its user may read, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
