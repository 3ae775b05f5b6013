"""No test reaches the user's home, settings, models or servers by accident."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blocks import PARSERS
from sybil import Sybil

KEPT = ("NONET_TEST_MODELS",)
"""Variables that are for the tests themselves."""
FOLDER = pytest.StashKey[Path]()


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


@pytest.fixture
def _in_folder_of_page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page find the files of those before them."""
    page = request.node.parent
    if FOLDER not in page.stash:
        page.stash[FOLDER] = request.getfixturevalue("tmp_path_factory").mktemp("page")
    monkeypatch.chdir(page.stash[FOLDER])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in parallel, those of a page stay in order and in one process."""
    for item in items:
        if item.path.suffix == ".md":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


pytest_collect_file = Sybil(
    parsers=PARSERS,
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    fixtures=["_own_home", "_in_folder_of_page"],
).pytest()
