"""The commands as a user or a script meets them, on the scripted runtime and in this process."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nonet.cli import main
from nonet.schema import OUTPUTS, schemas
from nonet.schema_batch import BATCH_OUTPUTS
from nonet.schema_eval import EVAL_OUTPUTS

REPORT = """# Report of the mill

The mill wheel turned all winter. The miller Anna Berg replaced two oak paddles on 3 March. The flow of the stream was
measured at 140 litres a second. No grain was lost. The roof needs new slates before autumn comes.
"""
FLOWS = """
import nonet

@nonet.step(specialist="summarization", reads=["text"])
def short() -> str:
    return "In one sentence."

@nonet.step
def length(short: str, shown: bool = True) -> int:
    return len(short.split())

flow = nonet.Workflow("length", [short, length], output=length)
"""
TASK = "Look up who replaced two oak paddles. Then summarize report.md in one sentence."


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def nonet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command in a folder that holds report.md, with a database beside it."""
    (tmp_path / "report.md").write_text(REPORT)
    (tmp_path / "flows.py").write_text(FLOWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")

    def run(*words: str, stdin: str | bytes | None = None) -> Said:
        given = tmp_path / "stdin"
        given.write_bytes(b"" if stdin is None else stdin.encode() if isinstance(stdin, str) else stdin)
        with given.open(encoding="utf-8") as file:
            monkeypatch.setattr(sys, "stdin", file)
            status = main(words)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(status, captured.out, captured.err)

    return run


def test_a_file_that_is_named_and_not_given_is_told(nonet: Cli) -> None:
    said = nonet("run", "Summarize report.md in one sentence.")
    assert said.status == 1
    assert "report.md is a file here. It is read if you write @report.md in the task" in said.err
    assert "is a file here" not in nonet("run", "Summarize report.md in one sentence.", "--docs", "report.md").err
    read = nonet("run", "Summarize @report.md in one sentence.")
    assert (read.status, "is a file here" in read.err) == (0, False)
    assert "is a file here" not in nonet("run", "Summarize ../other.md and no.such in one sentence.").err


def test_a_task_is_run_answered_and_kept(nonet: Cli) -> None:
    said = nonet("run", TASK, "--docs", "report.md")
    assert said.status == 0
    assert "Anna Berg" in said.out
    assert "Verdict: " in said.out
    assert "s1  retrieval" in said.err
    assert "scripted runtime: the settings name it" in said.err
    run = said.err.rpartition("nonet runs show ")[2].strip()
    shown = nonet("runs", "show", run)
    assert shown.status == 0
    for part in (TASK, "attempt 1 on", "report.md [", "Verdict: "):
        assert part in shown.out
    assert said.out.strip() in shown.out


def test_quiet_says_nothing_but_the_answer(nonet: Cli) -> None:
    said = nonet("run", TASK, "--docs", "report.md", "--quiet")
    assert (said.status, said.err) == (0, "")


def test_a_task_comes_through_a_pipe(nonet: Cli) -> None:
    said = nonet("run", "--docs", "report.md", "--json", stdin=TASK)
    assert said.json["task"] == TASK
    assert nonet("plan", "--json", stdin=b"\xef\xbb\xbfSay hello.").json["subtasks"][0]["instruction"] == "Say hello."


def test_a_flag_for_the_database_is_named_in_what_to_do_next(nonet: Cli) -> None:
    said = nonet("run", "Say hello.", "--db", "my other.db")
    assert said.err.strip().endswith("--db 'my other.db'")


COMMANDS = {
    "run": ["run", TASK, "--docs", "report.md"],
    "plan": ["plan", TASK, "--docs", "report.md"],
    "ask": ["ask", "retrieval", "Who replaced two oak paddles?", "--input", "report.md"],
    "graph": ["run", "--graph"],
    "workflow-run": ["run", "--workflow", "flows.py", "--input", "text=@report.md"],
    "workflow-list": ["workflow", "list"],
    "workflow-show": ["workflow", "show", "flows.py:length"],
    "docs-add": ["docs", "add", "report.md"],
    "docs-embed": ["docs", "embed"],
    "docs-list": ["docs", "list"],
    "docs-search": ["docs", "search", "oak paddles", "--limit", "3"],
    "docs-remove": ["docs", "remove", "report.md"],
    "runs-list": ["runs", "list"],
    "runs-show": ["runs", "show"],
    "runs-export": ["runs", "export"],
    "runs-prune": ["runs", "prune", "--older-than-days", "0"],
    "runs-trace": ["runs", "trace", "--output", "trace.json"],
    "stats": ["stats"],
    "models-list": ["models", "list"],
    "specialists-list": ["specialists", "list"],
    "specialists-show": ["specialists", "show", "code"],
    "doctor": ["doctor", "--quick"],
    "config": ["config"],
    "error": ["runs", "show", "zzzz"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_one_object_of_its_schema(nonet: Cli, name: str) -> None:
    nonet("run", TASK, "--docs", "report.md", "--quiet")
    said = nonet(*COMMANDS[name], "--json")
    OUTPUTS[name].model_validate_json(said.out)
    documented = set(OUTPUTS[name].model_json_schema()["properties"])
    assert set(said.json) == documented, "every key is documented"
    assert said.status == (2 if name == "error" else 0)
    without = nonet(*COMMANDS[name])
    assert without.status == said.status or name == "docs-remove"


def test_every_output_has_a_schema(nonet: Cli) -> None:
    assert json.loads(nonet("schema").out) == schemas()
    assert json.loads(nonet("schema", "run").out)["properties"]["verdict"]
    scheduler = {"hosts-list", "hosts-change"}
    elsewhere = {"calibrate", "models-pull"} | scheduler | set(BATCH_OUTPUTS) | set(EVAL_OUTPUTS)
    assert set(COMMANDS) | elsewhere == set(OUTPUTS)
    assert nonet("schema", "poem").status == 2


def test_vectors_are_made_with_the_documents_or_on_request_and_search_says_by_what_it_found(
    nonet: Cli, tmp_path: Path
) -> None:
    left = nonet("docs", "add", "report.md", "--collection", "lab", "--no-embed", "--json").json
    assert (left["vectors"], left["without_vectors"] > 0) == (0, True)
    found = nonet("docs", "search", "oak paddles", "--json").json
    assert found["method"] == "words (BM25); no vectors were made: nonet docs embed"
    assert found["results"][0]["document"] == "lab/report.md"
    made = nonet("docs", "embed", "--json").json
    assert made["made"] == made["vectors"] == made["chunks"] > 0
    assert nonet("docs", "embed", "--json").json["made"] == 0
    (tmp_path / "mill.txt").write_text("The mill stands by the brook.")
    added = nonet("docs", "add", str(tmp_path / "mill.txt"), "--json").json
    assert (added["vectors"] > 0, added["without_vectors"]) == (True, 0)
    found = nonet("docs", "search", "oak paddles", "--json").json
    assert found["method"].startswith("words (BM25) and vectors (")
    assert nonet("docs", "search", "oak paddles", "--words", "--json").json["method"] == "words (BM25)"
    assert nonet("docs", "search", "zeppelin", "--collection", "lab", "--words").err.strip() == "Nothing was found."
    assert nonet("docs", "search", "oak paddles", "--since", "2999-01-01", "--json").json["results"] == []
    assert nonet("docs", "search", "oak paddles", "--since", "soon").status == 2


def test_a_collection_that_does_not_exist_is_told(nonet: Cli) -> None:
    nonet("docs", "add", "report.md", "--no-embed")
    no_named = nonet("docs", "search", "oak", "--collection", "other")
    assert (no_named.status, "There is no collection other." in no_named.err) == (2, True)
    assert "No document is of a named one." in no_named.err
    nonet("docs", "add", "report.md", "--no-embed", "--collection", "lab")
    for command in (("search", "oak"), ("list",), ("embed",)):
        told = nonet("docs", *command, "--collection", "other")
        assert (told.status, "There is: lab." in told.err) == (2, True)
        assert nonet("docs", *command, "--collection", "lab").status == 0


def test_a_chat_model_judges_what_a_search_found_where_one_is_named(nonet: Cli) -> None:
    nonet("docs", "add", "report.md")
    name = next(each["name"] for each in nonet("models", "list", "--json").json["models"] if "135m" in each["name"])
    found = nonet("docs", "search", "oak paddles", "--rerank", name, "--json").json
    assert found["method"].endswith(f"; reranked by {name}")
    assert found["results"][0]["document"] == "report.md"
    missing = nonet("docs", "search", "oak paddles", "--rerank", "no-such-model")
    assert (missing.status, "not installed" in missing.err) == (3, True)


def test_documents_are_added_where_no_model_can_make_their_vectors(nonet: Cli) -> None:
    unreachable = ("--runtime", "ollama")
    said = nonet("docs", "add", "report.md", *unreachable)
    assert (said.status, said.out) == (0, "added      report.md\n")
    assert "found by words alone: " in said.err
    assert nonet("docs", "add", "report.md", "--embed", *unreachable).status == 3
    assert nonet("docs", "list", "--json").json["documents"][0]["name"] == "report.md"


def test_a_long_reading_tells_how_far_it_is(nonet: Cli, tmp_path: Path) -> None:
    (folder := tmp_path / "many").mkdir()
    for number in range(60):
        (folder / f"n{number}.txt").write_text(f"text {number}")
    said = nonet("docs", "add", str(folder))
    assert "Reading: 60 of 60" in said.err
    assert 3 <= said.err.count("Reading: ") <= 6
    assert "Reading" not in nonet("docs", "add", str(folder), "--quiet").err


def test_a_bad_file_fails_by_name_and_the_others_are_added(nonet: Cli) -> None:
    said = nonet("docs", "add", "report.md", "binary.txt", "missing.md", "--json")
    assert (said.status, said.json["added"]) == (1, ["report.md"])
    assert [failed["path"] for failed in said.json["failed"]] == ["binary.txt", "missing.md"]
    said = nonet("docs", "add", "report.md", "missing.md")
    assert said.status == 1
    assert "missing.md does not exist. Check the path." in said.err


def test_the_keys_that_scripts_rely_on(nonet: Cli) -> None:
    run = nonet("run", TASK, "--docs", "report.md", "--json").json
    assert run.keys() >= {"run", "status", "verdict", "answer", "subtasks", "citations", "usage"}
    assert run["subtasks"][0].keys() >= {"id", "specialist", "inputs", "verdict", "attempts", "model"}
    assert run["usage"].keys() >= {
        "calls",
        "prompt_tokens",
        "completion_tokens",
        "seconds",
        "swaps",
        "escalations",
    }
    for each in run["citations"]:
        assert REPORT[each["start"] : each["end"]] == each["quote"]
    assert run["citations"]
    hit = nonet("docs", "search", "oak paddles", "--json").json["results"][0]
    assert hit.keys() >= {"document", "chunk", "score", "start", "end", "text"}
    assert REPORT[hit["start"] : hit["end"]] == hit["text"]


def test_a_line_a_task(nonet: Cli) -> None:
    said = nonet("run", "-", "--quiet", stdin="Say hello.\r\n\nSay goodbye.")
    first, second, third = (json.loads(line) for line in said.out.splitlines())
    assert (first["task"], third["task"]) == ("Say hello.", "Say goodbye.")
    assert second["error"]["kind"] == "task"
    assert said.status == 2
    plans = nonet("plan", "-", stdin="Say hello.\nWrite a Python function f(x).\n")
    written = [json.loads(line)["subtasks"][0]["instruction"] for line in plans.out.splitlines()]
    assert written == ["Say hello.", "Write a Python function f(x)."]
    asked = nonet("ask", "general", "-", stdin=b"Say hello.\n\xff\n")
    assert [set(json.loads(line)) & {"output", "error"} for line in asked.out.splitlines()] == [{"output"}, {"error"}]


@pytest.mark.parametrize(
    ("words", "status", "kind", "says"),
    [
        (["run", ""], 2, "task", "The task is empty."),
        (["run", " \n"], 2, "task", "The task is empty."),
        (["run", "\u200b\x07\u202e"], 2, "task", "The task is empty."),
        (["run", "hi", "--docs", ""], 2, "usage", "the path is empty"),
        (["docs", "add", ""], 2, "usage", "the path is empty"),
        (["run", "x" * 1_000_000], 2, "task", "--docs"),
        (["run", "a\udcff"], 2, "task", "not valid UTF-8"),
        (["run", "hi", "--model", "llama9:900b"], 3, "model_not_found", "nonet models pull llama9:900b"),
        (["run", "hi", "--runtime", "ollama"], 3, "runtime_unavailable", "ollama serve"),
        (["run", "hi", "--runtime", "cloud"], 2, "settings", "--runtime"),
        (["run", "hi", "--docs", "missing.md"], 2, "document", "missing.md"),
        (["run", "hi", "--docs", "binary.txt"], 2, "document", "binary.txt"),
        (["run", "hi", "--docs", "empty"], 2, "document", "empty"),
        (["run", "hi", "--db", "damaged.db"], 3, "store_corrupt", "damaged.db"),
        (["run", "hi", "--db", "foreign.db"], 3, "store_corrupt", "foreign.db"),
        (["run", "hi", "--db", "."], 3, "store", "folder"),
        (["runs", "list", "--db", "absent.db"], 3, "store", "absent.db"),
        (["ask", "poetry", "hi"], 2, "usage", "There are: code, retrieval"),
        (["runs", "show", "zzzz"], 2, "run_not_found", "`nonet run"),
        (["runs", "resume"], 2, "run_not_found", "no unfinished run"),
        (["runs", "resume", "--accept", "--refuse"], 2, "usage", "exclude each other"),
        (["docs", "remove", "nothing.md"], 2, "document", "nothing.md"),
        (["docs", "add", "empty"], 2, "document", "empty"),
        (["docs", "search", "x", "--limit", "0"], 2, "usage", "limit"),
        (["models", "pull", "x"], 3, "model_not_found", "--runtime"),
        (["frobnicate"], 2, "usage", "frobnicate"),
        (["run", "hi", "--frobnicate"], 2, "usage", "--frobnicate"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_a_mistake_is_explained(  # noqa: PLR0917  pytest hands them over by name
    nonet: Cli, tmp_path: Path, words: list[str], status: int, kind: str, says: str
) -> None:
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 16)
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged.db").write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    with sqlite3.connect(tmp_path / "foreign.db") as connection:
        connection.execute("CREATE TABLE somebody_elses (x)")
    connection.close()
    plain = nonet(*words)
    assert plain.status == status
    assert says in plain.err
    assert plain.out == ""
    error = nonet(*words, "--json").json["error"]
    assert error["kind"] == kind
    assert says in " ".join(error.values())


def test_a_plan_waits_for_approval_where_nobody_can_be_asked(nonet: Cli) -> None:
    said = nonet("run", TASK, "--docs", "report.md", "--approve")
    assert said.status == 0
    assert "the run is waiting" in said.out
    assert "--accept" in said.err
    waiting = nonet("runs", "list", "--json").json["runs"][0]
    assert waiting["status"] == "waiting"
    assert nonet("runs", "resume").err.count("waits for approval") == 1
    accepted = nonet("runs", "resume", waiting["run"], "--accept", "--json")
    assert (accepted.status, accepted.json["status"]) == (0, "done")
    assert "Anna Berg" in accepted.json["answer"]


def test_a_refused_plan_is_not_run(nonet: Cli) -> None:
    run = nonet("run", TASK, "--approve", "--json").json["run"]
    refused = nonet("runs", "resume", run, "--refuse", "--json")
    assert (refused.status, refused.json["status"], refused.json["usage"]["calls"]) == (1, "refused", 0)


def test_a_run_that_spent_its_budget_is_resumed_as_it_says(nonet: Cli) -> None:
    two = "Say hello. Then write a Python function twice(x)."
    stopped = nonet("run", two, "--max-calls", "1")
    assert stopped.status == 1
    assert "nonet runs resume --max-calls N" in stopped.err
    assert nonet("runs", "resume").status == 2
    assert nonet("runs", "resume", "--max-calls", "9", "--json").json["status"] == "done"


def test_a_waiting_plan_is_changed_from_the_command_line(nonet: Cli) -> None:
    run = nonet("run", TASK, "--docs", "report.md", "--approve", "--json").json["run"]
    wrong = nonet("runs", "resume", run, "--edit", "drop s9")
    assert (wrong.status, "There is no subtask 's9'" in wrong.err) == (2, True)
    changed = nonet(
        "runs", "resume", run, "--edit", "add general Say thanks.", "--edit", "reword s1 Say hello.", "--json"
    )
    assert changed.status in {0, 1}
    assert changed.json["subtasks"][0]["instruction"] == "Say hello."
    assert changed.json["subtasks"][-1]["specialist"] == "general"
    again = nonet("runs", "resume", run, "--edit", "drop s1")
    assert again.status == 2


def test_a_task_that_fails_says_so(nonet: Cli) -> None:
    said = nonet("run", "Write a Python function f(x).\nassert f(1) == 'never'", "--json")
    assert (said.status, said.json["status"], said.json["verdict"]) == (1, "failed", "failed")
    assert said.json["missing"]


def test_how_a_file_was_read_is_told_apart_from_what_was_left_out(nonet: Cli, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "a.txt").write_bytes("Die Höhe der Mühle über dem Fluß beträgt zwölf Meter.\n".encode("latin-1"))
    (old / "b.png").write_bytes(b"")
    told = nonet("ask", "summarization", "Summarize it.", "--input", str(old)).err
    assert f"note (document): {old / 'a.txt'}: read as cp1252, which is a guess" in told
    assert f"note (skipped): {old / 'b.png'}: an image, and there is no OCR" in told


def test_how_a_summary_is_to_be_is_said_by_flags(nonet: Cli) -> None:
    said = nonet("ask", "summarization", "In one sentence.", "-i", "report.md", "--bullets", "2", "--json").json
    assert [line[:2] for line in said["output"].splitlines()] == ["- ", "- "]
    told = {
        "kind": "options",
        "passed": None,
        "detail": "the request says 1 sentence, the options 2 bullets: the options count",
    }
    assert told in said["evidence"]
    shown = nonet("ask", "summarization", "In one sentence.", "-i", "report.md", "--bullets", "2", "--quiet").out
    assert "the options count" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["summarization", "--words", "0"], "--words should be greater than or equal to 1, not 0"),
        (["summarization", "--form", "poem"], "'table', 'comparison' or 'timeline', not 'poem'"),
        (["summarization", "--language", "Klingon"], "--language is one of English, German"),
        (["summarization", "--bullets", "3", "--form", "table"], "go with the forms bullets and timeline"),
        (["code", "--form", "table"], "--form is for the summarization specialist, not for 'code'"),
    ],
)
def test_flags_that_cannot_be_name_what_can(nonet: Cli, words: list[str], said: str) -> None:
    refused = nonet("ask", words[0], "Sum it up.", *words[1:])
    assert (refused.status, said in refused.err) == (2, True), refused.err
    if words[0] == "summarization":
        refused = nonet("batch", "add", "inbox", "report.md", "--workflow", *words)
        assert (refused.status, said in refused.err) == (2, True), refused.err


def test_documents_come_and_go(nonet: Cli, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "one.md").write_text("The lamp is green.")
    (tmp_path / "notes" / "two.bin").write_bytes(b"\0\1")
    added = nonet("docs", "add", "notes", "report.md", "--json").json
    assert sorted(added["added"]) == ["one.md", "report.md"]
    assert added["skipped"][0]["path"].endswith("two.bin")
    assert nonet("docs", "add", "report.md").out == "unchanged  report.md\n"
    (tmp_path / "report.md").write_text("Changed.")
    assert nonet("docs", "add", "report.md").out == "replaced   report.md\n"
    assert "one.md" in nonet("docs", "search", "green lamp").out
    partly = nonet("docs", "remove", "one.md", "gone.md")
    assert (partly.status, "Removed before: one.md" in partly.err) == (2, True)
    assert [each["name"] for each in nonet("docs", "list", "--json").json["documents"]] == ["report.md"]


def test_the_demo_shows_the_whole_job(nonet: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NONET_DB")
    said = nonet("demo", "--runtime", "scripted", "--json")
    assert {each["specialist"] for each in said.json["subtasks"]} == {"code", "retrieval", "summarization"}
    assert (tmp_path / ".demo" / "nonet.db").stat().st_mode & 0o777 == 0o600
    assert said.json["citations"], "the documents that ship are found"
    assert said.err.strip().endswith("--db .demo/nonet.db")


def test_settings_tell_where_they_come_from(nonet: Cli, tmp_path: Path) -> None:
    (tmp_path / "nonet.toml").write_text("slots = 3\n")
    settings = nonet("config", "--json").json["settings"]
    assert settings["slots"] == {"value": 3, "from": f"{tmp_path / 'nonet.toml'}, line 1"}
    assert settings["db"]["from"] == "NONET_DB"
    (tmp_path / "nonet.toml").write_text("slits = 3\n")
    wrong = nonet("run", "hi")
    assert wrong.status == 2
    assert "Did you mean slots?" in wrong.err


# What only a process of its own can show.


def process(*words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "nonet", *words]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, **more)


def test_a_reader_that_leaves_is_no_error(nonet: Cli) -> None:
    nonet("docs", "add", "report.md")
    for words in (["docs", "list"], ["config"], ["schema"]):
        line = f"{sys.executable} -m nonet {' '.join(words)} | head -c 1; echo ${{PIPESTATUS[0]}} >&2"
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, timeout=60)
        assert done.stderr.split() in ([b"0"], [b"Read:", b"no", b"nonet.toml", b"was", b"found.", b"0"]), words


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["schema"], ["docs", "list"]])
def test_a_full_disk_under_standard_output_is_told(nonet: Cli, words: list[str], unbuffered: str) -> None:
    nonet("docs", "add", "report.md")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nonet", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == b"Error: Standard output cannot be written: No space left on device.\n"


def test_closed_streams_are_no_error() -> None:
    line = f"{sys.executable} -m nonet --version <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], check=False, timeout=60).returncode == 0


def test_output_survives_a_terminal_without_utf_8(nonet: Cli, tmp_path: Path) -> None:
    (tmp_path / "naïve.md").write_text("Crème brûlée \x1b[31m\u202e")
    nonet("docs", "add", "naïve.md")
    latin = {**os.environ, "PYTHONIOENCODING": "ascii"}
    plain = process("docs", "search", "brûlée", env=latin)
    assert (plain.returncode, b"Cr?me br?l?e" in plain.stdout, b"\x1b" in plain.stdout) == (0, True, False)
    found = json.loads(process("docs", "search", "brûlée", "--json", env=latin).stdout)
    assert found["results"][0]["document"] == "naïve.md"


def test_an_interrupt_while_it_still_loads_is_told(nonet: Cli, tmp_path: Path) -> None:
    nonet("docs", "add", "report.md")
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "rich.py").write_text("raise KeyboardInterrupt")
    environment = {**os.environ, "PYTHONPATH": str(slow)}
    plain = process("docs", "list", env=environment)
    assert (plain.returncode, plain.stdout, plain.stderr) == (130, b"", b"Interrupted.\n")
    told = process("docs", "list", "--json", env=environment)
    assert (told.returncode, told.stderr) == (130, b"")
    assert json.loads(told.stdout)["error"]["kind"] == "interrupted"


def test_a_name_of_two_lines_is_shown_on_one(nonet: Cli, tmp_path: Path) -> None:
    (tmp_path / "two\nlines\x1b[31m.md").write_text("A fine text about mills.")
    for words in (("docs", "add", "two\nlines\x1b[31m.md"), ("docs", "search", "mills"), ("docs", "list")):
        assert "two lines[31m.md" in nonet(*words).out


def test_an_unforeseen_error_is_written_down(nonet: Cli, tmp_path: Path) -> None:
    nonet("docs", "add", "report.md")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "rich.py").write_text("raise ValueError('a broken library')")
    environment = {**os.environ, "PYTHONPATH": str(broken), "XDG_STATE_HOME": str(tmp_path / "state")}
    done = process("docs", "list", env=environment)
    assert done.returncode == 1
    assert b"ValueError: a broken library" in done.stderr
    assert b"Traceback" not in done.stderr
    written = tmp_path / "state" / "nonet" / "last-error.txt"
    assert "Traceback" in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
    assert b"Traceback" in process("--debug", "docs", "list", env=environment).stderr
