"""--help loads none of the rooms (how many modules: tests/unit/test_counts.py), and is what docs/cli.md says."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nonet.cli import main

DOCS = Path(__file__).parents[2] / "docs"
HEAVY = (
    "aiohttp",
    "asyncio",
    "langchain_core",
    "langgraph",
    "nonet.agents",
    "nonet.graphs",
    "nonet.runtimes",
    "nonet.settings",
    "nonet.specialists",
    "nonet.store",
    "ollama",
    "onnxruntime",
    "pydantic",
    "pydantic_settings",
    "rich",
    "sqlalchemy",
    "sqlite3",
    "sqlmodel",
    "tokenizers",
    "xllamacpp",
)


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()
COMMANDS: list[tuple[str, ...]] = GENERATOR.command_paths()
REFERENCE = (DOCS / "cli.md").read_text(encoding="utf-8").partition(GENERATOR.MARK)[2]


def modules_after(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint('\\n'.join(['#', *sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.rpartition("#\n")[2].split())


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_nothing_heavy_is_imported(argument: str) -> None:
    with_typer = modules_after("import typer")
    loaded = modules_after(f"from nonet.cli import main\nassert main([{argument!r}]) == 0")
    extra = {name for name in loaded - with_typer if name in HEAVY or name.split(".")[0] in HEAVY}
    assert not extra


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_documented_as_its_help_says(path: tuple[str, ...]) -> None:
    """Run docs/generate.py when this fails. (Layout may differ between versions of Typer; words may not.)"""
    title = f"## nonet {' '.join(path)}\n"
    assert title in REFERENCE
    section = REFERENCE.partition(title)[2].partition("\n## ")[0]
    shown = GENERATOR.help_of(path)
    options = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", shown))
    assert options
    assert {option for option in options if option not in section} == set()
    examples = shown.partition("Examples:")[2].split("\n")
    assert len(examples) > 1, "every command has examples"
    assert [line for line in examples if line.strip() not in section] == []


def test_the_other_pages_are_up_to_date() -> None:
    """Run docs/generate.py when this fails."""
    for page in ("json.md", "settings.md"):
        written = (DOCS / page).read_text(encoding="utf-8").partition(GENERATOR.MARK)[2]
        assert written == GENERATOR.PAGES[page](), page


def test_the_top_names_every_command() -> None:
    shown = GENERATOR.help_of(())
    for path in COMMANDS:
        assert re.search(rf"^  {path[0]}\s", shown, re.MULTILINE)


def test_the_readme_shows_the_graph_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert main(["run", "--graph"]) == 0
    drawn = capsys.readouterr().out
    assert f"```mermaid\n{drawn.strip()}\n```" in readme
