"""The site of the documentation: it builds without a warning, offline, and its reference has every public name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nonet

ROOT = Path(__file__).parents[2]
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//|<link\b[^>]*\bhref="(?:https?:)?//"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_built_and_fetches_nothing_from_anybody(site: Path) -> None:
    sources = (ROOT / "docs").rglob("*.md")
    pages = [site / source.relative_to(ROOT / "docs").with_suffix(".html") for source in sources]
    assert len(pages) > 20
    for page in pages:
        assert not FETCHED.search(page.read_text(encoding="utf-8")), page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


def test_the_reference_has_every_public_name(site: Path) -> None:
    reference = (site / "python.html").read_text(encoding="utf-8")
    assert [name for name in nonet.__all__ if f'id="nonet.{name}"' not in reference] == []
