"""Writes the reference part of docs/cli.md from the commands' own --help. Run it with nonet installed."""
# ruff: noqa: INP001  a script beside the pages it writes

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from nonet.app import app
from nonet.cli import main

CLI = Path(__file__).with_name("cli.md")
MARK = "<!-- Everything below is written by docs/generate.py from --help. -->\n"
COLUMNS = "100"


def command_paths() -> list[tuple[str, ...]]:
    """Every command there is: ("run",), ("docs", "add"), ..."""
    paths: list[tuple[str, ...]] = [(name_of(each.name, each.callback),) for each in app.registered_commands]
    for group in app.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        paths += [(str(group.name), name_of(each.name, each.callback)) for each in inner.registered_commands]
    return sorted(paths)


def name_of(name: str | None, callback: object) -> str:
    """As Typer derives it."""
    return name or getattr(callback, "__name__", "").replace("_", "-")


def help_of(path: tuple[str, ...]) -> str:
    """What `nonet ... --help` prints."""
    os.environ["COLUMNS"] = COLUMNS
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(written):
        status = main([*path, "--help"])
    assert status == 0
    written.seek(0)
    return "\n".join(line.rstrip() for line in written.read().strip().splitlines())


def reference() -> str:
    """The generated part."""
    parts = [f"\n## nonet\n\n```text\n{help_of(())}\n```\n"]
    parts += [f"\n## nonet {' '.join(path)}\n\n```text\n{help_of(path)}\n```\n" for path in command_paths()]
    return "".join(parts)


if __name__ == "__main__":
    head, _, _ = CLI.read_text(encoding="utf-8").partition(MARK)
    CLI.write_text(head + MARK + reference(), encoding="utf-8")
