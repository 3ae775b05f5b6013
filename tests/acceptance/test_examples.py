"""The examples run as they stand."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_it_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setattr(sys, "argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    said = capsys.readouterr()
    assert "verified" in said.out
    assert said.err == ""


@pytest.mark.skipif(not (EXAMPLES / "documents").is_dir(), reason="a clone without symbolic links")
def test_the_documents_are_those_that_ship() -> None:
    shipped = EXAMPLES.parent / "src" / "nonet" / "data" / "documents"
    assert (EXAMPLES / "documents").resolve() == shipped.resolve()
