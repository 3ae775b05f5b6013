"""What becomes of a code block of README.md and docs/ in the tests, by its language.

| language | |
|---|---|
| python | run; the blocks of a page share their names |
| console | each `$ nonet ...` line is run on the scripted runtime, and must end with status 0 |
| sh | not run, as it needs a model, a network or files of the reader's; but each command must exist, with its options |
| toml | read as nonet.toml, or as TOML where it is a part of another file |
| json | each line must be JSON |
| text | what a program printed, or a file's contents |

Where the line above a console block is `<!-- status 1 without a model -->`, it must end with 1: the code that the
scripted runtime writes passes no tests.

A page has one folder for all its blocks. Another language fails the page, so that no block goes unchecked.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from sybil import Example, Region
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from nonet.cli import main
from nonet.settings import FILE_NAME, load

ROOT = Path(__file__).parents[1]
UNCHECKED = {"text", "mermaid"}
"""mermaid: the graph of README.md, which tests/acceptance/test_help.py compares with the real one."""
_PRINTED = re.compile(r"^~~~text\n.*?^~~~$", re.MULTILINE | re.DOTALL)
"""What a program printed, with blocks of its own in it."""
_FENCE = re.compile(r"^```(\S*)[^\n]*\n.*?^```$", re.MULTILINE | re.DOTALL)


def nonet(words: list[str]) -> tuple[int, str]:
    """The status of a command line, run in this process and in the root folder, and all it printed.

    In this process, as a start of Python for each line would take ten times as long as the lines.
    """
    said = io.BytesIO()
    stream = io.TextIOWrapper(said, encoding="utf-8", write_through=True)
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(ROOT), Path(os.devnull).open() as nothing:
        patch.setattr(sys, "stdin", nothing)
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            status = main(words)
    return status, said.getvalue().decode()


def run_console(example: Example) -> None:
    before = example.document.text[: example.region.start].rstrip()
    expected = int(before.endswith("<!-- status 1 without a model -->"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NONET_RUNTIME", "scripted")
        patch.setenv("NONET_DB", str(Path.cwd() / "console.db"))
        for line in example.parsed.splitlines():
            if line.startswith("$ nonet "):
                status, said = nonet(shlex.split(line)[2:])
                assert status == expected, f"{line}\n{said}"


def check_shell(example: Example) -> None:
    for line in example.parsed.splitlines():
        words = list(shlex.shlex(line, posix=True, punctuation_chars=True))
        for number, word in enumerate(words):
            if word in {"|", ">", "<", "&&", ";"}:
                words = words[:number]
                break
        plain = shlex.split(line, comments=True)[: len(words)]
        if plain:
            check_command(plain, line)


def check_command(words: list[str], line: str) -> None:
    match words:
        case ["nonet", *arguments]:
            status, said = nonet([*arguments, "--help"])  # options are read before --help is heeded
            assert status == 0, f"{line}\n{said}"
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
        case ["pip", "install", *_] | ["git", "clone", *_] | ["cd" | "source", _] | ["python", "-m", "venv", _]:
            pass
        case ["python", script, *_]:
            assert (ROOT / script).is_file(), line
        case _:
            raise AssertionError(f"Nothing checks this command: {line}")


def check_toml(example: Example) -> None:
    if "[project" in example.parsed:
        tomllib.loads(example.parsed)
        return
    folder = Path.cwd() / "settings"
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_text(example.parsed, encoding="utf-8")
    assert load(folder=folder).files


def check_json(example: Example) -> None:
    for line in example.parsed.splitlines():
        json.loads(line)


def refuse_others(document: Document) -> list[Region]:
    """No block is of a language that nothing checks."""
    languages = {fence[1] for fence in _FENCE.finditer(_PRINTED.sub("", document.text))}
    unknown = languages - set(CHECKED) - UNCHECKED - {"python"}
    assert not unknown, f"{document.path}: nothing checks blocks of {unknown}"
    return []


CHECKED = {"console": run_console, "sh": check_shell, "toml": check_toml, "json": check_json}
PARSERS = [
    PythonCodeBlockParser(),
    *(CodeBlockParser(language=language, evaluator=check) for language, check in CHECKED.items()),
    refuse_others,
]
