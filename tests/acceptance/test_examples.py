"""The examples run as they stand: on the scripted runtime, or on a fake server where a model has to know something."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DATA = EXAMPLES / "data"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
ON_FILES = [name for name in PROGRAMS if name not in {"first_run.py", "many_tasks.py"}]


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


Program = Callable[..., Said]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Runs an example in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    monkeypatch.setenv("NONET_DB", "here.db")

    def run(name: str, *arguments: str | Path, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        status = 0
        try:
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(status, said.out, said.err)

    return run


@pytest.mark.parametrize("name", ["first_run.py", "many_tasks.py"])
def test_the_first_ones(program: Program, name: str) -> None:
    said = program(name)
    assert (said.status, said.err) == (0, "")
    assert "verified" in said.out


@pytest.mark.parametrize("name", ON_FILES)
def test_each_has_help_and_tells_what_is_wrong(program: Program, name: str) -> None:
    helped = program(name, "--help")
    assert helped.status == 0
    assert f"python examples/{name} examples/data" in helped.out, "an example that works on a clone"
    Path("empty").mkdir()
    Path("nothing.txt").write_text("")
    for path in ("missing.txt", "nothing.txt", "empty"):
        wrong = program(name, *[path] * (2 if name == "contracts.py" else 1))
        assert (wrong.status, wrong.out) == (2, ""), path
        assert wrong.err.strip()


def test_research_answers_every_question_and_shows_where(program: Program) -> None:
    said = program(
        "research.py",
        DATA / "heat_network",
        "Who got the contract?",
        "--questions",
        DATA / "heat_network/questions.txt",
    )
    assert said.status == 0
    assert said.out.count("## ") >= 6
    places = re.findall(r"^> (.+)\n\n(\S+\.md), characters (\d+) to (\d+)$", said.out, re.MULTILINE)
    assert places
    for quote, name, start, end in places:
        text = (DATA / "heat_network" / name).read_text(encoding="utf-8")
        assert " ".join(text[int(start) : int(end)].split()) == quote


def test_a_review_finds_faults_and_runs_the_examples(program: Program) -> None:
    said = program("code_review.py", DATA / "pricing.py")
    assert said.status == 0
    for remark in ("line 32: initials lacks types", "a default of collect is shared", "line 47: a bare except"):
        assert remark in said.out
    assert "1 of 3 functions with examples pass them." in said.out
    assert said.out.count("No repair that passes the examples was found.") == 2, "the scripted runtime knows none"


async def test_a_repair_is_shown_only_where_it_passes(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    right = "```python\ndef initials(name):\n    return ' '.join(part[0] + '.' for part in name.split())\n```"
    wrong = "```python\ndef discount(quantity: int) -> int:\n    return 10\n```"
    monkeypatch.setenv("NONET_MODELS", '{"code": ["qwen2.5-coder:0.5b"]}')
    async with FakeOllama([("initials", right), ("discount", wrong)]) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        said = await asyncio.to_thread(program, "code_review.py", DATA / "pricing.py")
    assert said.status == 0
    assert said.out.count("A repair that passes all of its examples:") == 1
    assert "+    return ' '.join(part[0] + '.' for part in name.split())" in said.out
    assert said.out.count("No repair that passes the examples was found.") == 1


def test_contracts_are_compared_clause_by_clause(program: Program) -> None:
    said = program("contracts.py", DATA / "lease-2023.txt", DATA / "lease-2026.txt")
    assert said.status == 0
    assert "3 clauses are the same, 3 changed, 1 new, 1 gone." in said.out
    assert "The rent is ~~1,150~~ **1,290** euros a month." in said.out
    assert "Figures: 1,150 euros -> 1,290 euros, 2 percent" in said.out
    assert "## New: Subletting" in said.out
    assert "## Gone: Heating costs" in said.out
    assert "heating? | “The landlord bears repairs of the roof, the walls and the heating.” (old) |" in said.out
    same = program("contracts.py", DATA / "lease-2026.txt", DATA / "lease-2026.txt")
    assert same.out.startswith("7 clauses are the same, 0 changed, 0 new, 0 gone.\n")


TASKS = [
    ("order the bottles", '{"what": "Order the bottles by Friday."}'),
    ("drive the van", '{"what": "Buy two hundred kilograms of pears"}'),
    ("scale on loan", '{"what": "call them today and ask for a scale on loan"}'),
    ("can you print", '{"what": "print the new list by Thursday"}'),
]


async def test_minutes_have_only_tasks_that_were_said(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeOllama(TASKS) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        said = await asyncio.to_thread(program, "minutes.py", DATA / "meeting.txt")
    assert said.status == 0
    assert "- So we decided: 450 bottles, and Piet drives. (Nora)" in said.out
    assert "we look again in October. (Amal; Nora agreed)" in said.out
    table = said.out.partition("|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [
        "| Amal | Order the bottles | Friday |",
        "| Piet | call them and ask for a scale on loan | today |",
        "| Amal | print the new list | Thursday |",
    ]
    assert "pears" not in said.out, "nobody said that"
    assert said.out.endswith("To be looked at by a person:\n\n- I can drive the van on the day.\n")


def test_products_are_described_or_say_why_not_and_never_twice(program: Program) -> None:
    said = program("products.py", DATA / "products.csv", "--output", "out.csv")
    assert (said.status, said.out) == (0, "")
    assert len(said.err.splitlines()) == 4
    rows = list(csv.DictReader(io.StringIO(Path("out.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 4
    for row in rows:
        assert (row["verdict"] == "verified") == bool(row["description"]) == (not row["reason"])
    again = program("products.py", DATA / "products.csv")
    assert again.err == "", "every row was done before"
    assert list(csv.DictReader(io.StringIO(again.out))) == rows


def test_a_log_is_counted_by_kinds(program: Program) -> None:
    said = program("log_triage.py", DATA / "server.log")
    assert said.status == 0
    table = [line.split(" | ") for line in said.out.splitlines() if line.startswith(("| ERROR", "| WARNING"))]
    assert [(row[0], row[1]) for row in table[:2]] == [("| ERROR", "3"), ("| ERROR", "2")]
    assert "web request # failed: database timeout after # ms" in said.out
    assert (
        "## The worst quarter of an hour: 2026-03-02, 8 lines\n\n- 09:02:10 WARNING db slow query took 2210 ms"
        in said.out
    )
    assert said.out.partition("(a model's guesses)")[2].count("\n- ") == 5
    Path("hostile.log").write_text("2026-03-02 07:58:01 ERROR \x1b[2J\u202emore")
    hostile = program("log_triage.py", "hostile.log").out
    assert "more" in hostile
    assert not {"\x1b", "\u202e"} & set(hostile), "no log drives the terminal"
    quiet = "2026-03-02 07:58:01 INFO web started"
    Path("quiet.log").write_text(quiet)
    assert program("log_triage.py", "quiet.log").out == "No warnings and no errors.\n"
    assert program("log_triage.py", "-", stdin=quiet).status == 0


STUDIES = [
    ("48 nurses", '{"design": "randomised trial", "participants": 48, "quote": "48 nurses\\nworked two nights"}'),
    ("212 nurses", '{"design": "cohort study", "participants": 500, "quote": "with 212 nurses"}'),
    ("1,340 workers", '{"design": "survey", "participants": 1340, "quote": "1,340 people answered"}'),
]


async def test_literature_has_only_numbers_that_are_quoted(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeOllama(
        [(re.compile(rf"(?s){find}.*what kind of study", re.IGNORECASE), say) for find, say in STUDIES]
    ) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        said = await asyncio.to_thread(program, "literature.py", DATA / "papers")
    assert said.status == 0
    rows = {line.split(" | ")[0]: line.split(" | ")[1:3] for line in said.out.splitlines()[2:]}
    assert rows == {
        "| Short naps and vigilance in night nurses (naps.txt)": ["randomised trial", "48"],
        "| Bright light on the ward and sleepiness at night (light.txt)": ["", ""],
        "| Timing of coffee in shift work: a survey (coffee.txt)": ["", ""],
    }


def test_the_faq_bot_gives_whole_entries_and_keeps_what_it_cannot_answer(program: Program) -> None:
    said = program("faq_bot.py", DATA / "faq.md", stdin="What does membership cost?\n\nWho won the match in Lisbon?\n")
    assert said.status == 0
    first, _, second = said.out.partition("\n\n")
    assert first == "What does it cost?\nMembership is 30 euros a year. Borrowing itself is free."
    assert second == "The FAQ does not answer that. Your question is noted in unanswered.txt for a person.\n\n"
    assert Path("unanswered.txt").read_text() == "Who won the match in Lisbon?\n"
    assert program("faq_bot.py", DATA / "faq.md", "Can I reserve a tool?").out.startswith(
        "Can I reserve a tool?\nYes, "
    )


def test_every_example_is_on_the_page() -> None:
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    assert [name for name in ON_FILES if f"## {name}" not in page and f"`examples/{name}`" not in page] == []


@pytest.mark.skipif(not (EXAMPLES / "documents").is_dir(), reason="a clone without symbolic links")
def test_the_documents_are_those_that_ship() -> None:
    shipped = EXAMPLES.parent / "src" / "nonet" / "data" / "documents"
    assert (EXAMPLES / "documents").resolve() == shipped.resolve()
