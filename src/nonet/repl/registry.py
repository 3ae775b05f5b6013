"""The commands of the session, each told once: what it does, how it is written, what completes it, who does it."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    usage: str
    """What follows the name; empty where nothing does."""
    summary: str
    examples: tuple[str, ...]
    handler: str
    """`module:function` of this package; it takes the desk (or the terminal's side, with `here`) and the words."""
    completes: tuple[str, ...] = ()
    """What its words may be: kinds of names ("runs", "models", "files", ...) and, with "=", words themselves."""
    here: bool = False
    """Done by the terminal's side."""
    at_once: bool = False
    """Only looks, or changes what is to come: it need not wait for the task at work."""
    works_as: str = ""
    """What does the same from a shell."""

    def load(self) -> Callable[..., Any]:
        """The function that does it."""
        module, _, function = self.handler.partition(":")
        loaded: Callable[..., Any] = getattr(importlib.import_module(f"nonet.repl.{module}"), function)
        return loaded


COMMANDS: tuple[Command, ...] = (
    Command(
        "help", "[COMMAND]", "What can be said here, or all about one command.", ("/help", "/help export"),
        "here:help_", ("commands",), here=True, works_as="nonet --help",
    ),
    Command(
        "runs", "[RUN | HOW MANY]", "The newest runs, or the whole story of one.", ("/runs", "/runs 5", "/runs k3j2"),
        "on_runs:runs", ("runs",), at_once=True, works_as="nonet runs list, nonet runs show RUN",
    ),
    Command(
        "resume", "[RUN]", "Go on with a run that was stopped; what is finished is not repeated.",
        ("/resume", "/resume k3j2"), "on_runs:resume", ("runs",), works_as="nonet runs resume [RUN]",
    ),
    Command("quit", "", "Leave; Ctrl-D does the same.", ("/quit",), "here:quit_", here=True),
)  # fmt: skip


def find(name: str) -> Command | None:
    """The command of that name, or of the only name that begins so."""
    exact = [each for each in COMMANDS if each.name == name]
    begun = [each for each in COMMANDS if name and each.name.startswith(name)]
    found = exact or begun
    return found[0] if len(found) == 1 else None


def suggestion(name: str) -> str:
    """What to say of a command that does not exist."""
    names = [each.name for each in COMMANDS]
    near = [each for each in names if name and each.startswith(name)] or difflib.get_close_matches(name, names, 3, 0.5)
    hint = f"Did you mean {' or '.join(f'/{each}' for each in near)}?" if near else "/help lists what there is."
    return f"There is no command /{name}. {hint}"
