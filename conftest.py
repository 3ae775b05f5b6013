"""No test reaches the user's home, settings, models or servers by accident."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from nonet.cli import main

ROOT = Path(__file__).parent
KEPT = ("NONET_TEST_MODELS",)
"""Variables that are for the tests themselves."""


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, no NONET_ variables, and an Ollama address where nothing listens."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith("NONET_") and name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")  # the discard port: refused at once
    return home


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> None:
    """`tmp` in a doctest is a folder of its own."""
    doctest_namespace["tmp"] = tmp_path_factory.mktemp("doctest")


def _run_console(example: Example) -> None:
    """Each `$ nonet ...` line of a console block, on the scripted runtime, must end with status 0.

    In this process, as a start of Python for each line would take ten times as long as the lines.
    """
    here = {"NONET_RUNTIME": "scripted", "NONET_DB": str(Path.cwd() / "console.db")}
    for line in example.parsed.splitlines():
        if not line.startswith("$ nonet "):
            continue
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(ROOT), Path(os.devnull).open() as nothing:
            for name, value in here.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", nothing)
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                status = main(shlex.split(line)[2:])
        assert status == 0, f"{line}\n{said.buffer.getvalue().decode()}"  # type: ignore[attr-defined]


@pytest.fixture
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that writes a file writes it into a folder of its own."""
    monkeypatch.chdir(tmp_path)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), CodeBlockParser(language="console", evaluator=_run_console)],
    patterns=["README.md", "docs/*.md"],
    fixtures=["_own_home", "_in_tmp"],
).pytest()
