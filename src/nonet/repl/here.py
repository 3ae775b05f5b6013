"""The commands that the terminal's side does itself."""

from __future__ import annotations

from typing import Protocol

from nonet.repl.registry import COMMANDS, Command, find, suggestion
from nonet.repl.wire import Line, line


class Side(Protocol):
    """The terminal's side, whichever it is."""

    def show(self, lines: list[Line]) -> None:
        """Put lines before the user."""
        ...

    def leave(self) -> None:
        """End the session."""
        ...


def help_(side: Side, words: str) -> None:
    """All commands, or one."""
    name = words.strip().lstrip("/")
    if not name:
        side.show(_overview())
        return
    command = find(name)
    side.show([line(suggestion(name))] if command is None else _about(command))


def _overview() -> list[Line]:
    width = max(len(each.name) for each in COMMANDS) + 2
    return [
        line(("Say what you want in plain words; it is planned, done, checked and answered.", "")),
        line(),
        *(line((f"  {'/' + each.name:<{width}}", "cyan"), each.summary) for each in COMMANDS),
        line(),
        line(("  @report.md  @last  @k3j2.s1", "cyan"), "  a file, the last answer, a part of a run"),
        line(("  Alt-Enter or \\ at the end", "cyan"), "   another line;  Ctrl-R searches what you said before"),
        line(("  Ctrl-C", "cyan"), " stops the task at work and keeps what is done;  Ctrl-D leaves"),
        line("  /help COMMAND tells more of one."),
    ]


def _about(command: Command) -> list[Line]:
    lines = [
        line((f"/{command.name} {command.usage}".strip(), "bold")),
        line(f"  {command.summary}"),
        line("Examples:"),
    ]
    lines += [line((f"  {example}", "cyan")) for example in command.examples]
    if command.works_as:
        lines += [line("From a shell: ", (command.works_as, "cyan"))]
    return lines


def quit_(side: Side, _words: str) -> None:
    """Leave."""
    side.leave()
