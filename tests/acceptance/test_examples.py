"""The examples run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_it_runs(path: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "NONET_RUNTIME": "scripted", "NONET_DB": str(tmp_path / "here.db")}
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    assert "verified" in done.stdout
    assert done.stderr == ""


@pytest.mark.skipif(not (EXAMPLES / "documents").is_dir(), reason="a clone without symbolic links")
def test_the_documents_are_those_that_ship() -> None:
    shipped = EXAMPLES.parent / "src" / "nonet" / "data" / "documents"
    assert (EXAMPLES / "documents").resolve() == shipped.resolve()
