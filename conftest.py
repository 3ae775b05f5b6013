"""No test reaches the user's home, settings, models or servers by accident."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blocks import PARSERS
from hypothesis import HealthCheck, settings
from sybil import Sybil

KEPT = ("NONET_TEST_MODELS",)
"""Variables that are for the tests themselves."""
FOLDER = pytest.StashKey[Path]()
WHOLE = {"test_sandbox_escapes.py", "test_site.py"}
"""What the tests of these make once serves all of them."""

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # no test of ours is a timed one, and machines are busy


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Where tests run in several processes, a file stays in one; the long tests of tests/acceptance are shared out."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  it is not there without -n

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if file.startswith("tests/acceptance/") and Path(file).name not in WHOLE else file

    return ByFile(config, log)


pytest_collect_file = Sybil(
    parsers=PARSERS,
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    fixtures=["_own_home", "_in_folder_of_page"],
).pytest()
