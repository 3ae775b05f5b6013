"""`nonet batch` as a user or a script meets it, on the scripted runtime."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
from fakes.ollama import FakeOllama
from pyarrow import parquet

import nonet as library
from nonet.cli import main
from nonet.schema_batch import BATCH_OUTPUTS

TASK = "Summarize {document} in one sentence."
TEXT = "The mill wheel number {} turned all winter. The miller replaced two oak paddles on 3 March."


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Said]


@pytest.fixture
def nonet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command in a folder that holds docs/a.md and docs/b.md."""
    (tmp_path / "docs").mkdir()
    for name in "ab":
        (tmp_path / "docs" / f"{name}.md").write_text(TEXT.format(name))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")

    def run(*words: str, stdin: str = "") -> Said:
        given = tmp_path / "stdin"
        given.write_text(stdin)
        with given.open(encoding="utf-8") as file:
            monkeypatch.setattr(sys, "stdin", file)
            status = main(["batch", *words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(status, captured.out, captured.err)

    return run


def test_from_a_folder_to_results(nonet: Cli) -> None:
    said = nonet("add", "inbox", "docs", "--task", TASK)
    assert (said.status, said.out) == (0, "2 added to inbox, 0 it had already\n")
    assert "nonet batch run inbox" in said.err
    assert nonet("add", "inbox", "docs", "--task", TASK).out == "0 added to inbox, 2 it had already\n"
    said = nonet("run", "inbox")
    assert said.status == 0
    assert said.out.startswith("2 done, 0 dead in ")
    assert "done docs/a.md: verified" in said.err
    results = nonet("export", "inbox").lines
    assert [(each["document"], each["status"], each["verdict"]) for each in results] == [
        ("docs/a.md", "done", "verified"),
        ("docs/b.md", "done", "verified"),
    ]
    assert results[0]["output"] == "The mill wheel number a turned all winter."


ROWS = {
    "rows.jsonl": '{"id": "one", "text": "First text."}\n\n{"title": "two", "body": "Second text."}\n"third"\nno\n',
    "rows.csv": "id,text\none,First text.\ntwo,\n",
    "rows.tsv": "name\tnote\nx\ty\n",
}


@pytest.mark.parametrize(
    ("name", "jobs", "refused"),
    [
        ("rows.jsonl", {"one": "First text.", "two": "Second text.", "rows.jsonl:4": "third"}, ["rows.jsonl:5"]),
        ("rows.csv", {"one": "First text."}, ["two"]),
        ("rows.tsv", {"x": '{"name": "x", "note": "y"}'}, []),
    ],
)
def test_rows_are_documents(nonet: Cli, tmp_path: Path, name: str, jobs: dict[str, str], refused: list[str]) -> None:
    (tmp_path / name).write_text(ROWS[name])
    said = nonet("add", "inbox", name, "--json").json
    assert (said["added"], said["refused"]) == (len(jobs) + len(refused), len(refused))
    with library.Queue("inbox") as queue:
        texts = {}

        async def work(document: str, text: str) -> str:
            texts[document] = text
            return text

        queue.run(work)
        assert texts == jobs
        dead = [job.document for job in queue.results() if job.status == "dead"]
    assert dead == refused


def test_rows_come_through_a_pipe(nonet: Cli) -> None:
    stdin = '{"id": 7, "text": "A row."}\nA line of text.\n{"id": 8, "note": "no text field"}\n{broken\n'
    assert nonet("add", "inbox", "-", "--json", stdin=stdin).json["added"] == 4
    listed = nonet("list", "inbox", "--json").json["jobs"]
    assert [(job["document"], job["status"]) for job in listed] == [
        ("7", "queued"), ("stdin:2", "queued"), ("8", "queued"), ("stdin:4", "dead"),
    ]  # fmt: skip
    assert "not JSON" in listed[3]["error"]


def test_fields_can_be_named(nonet: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"key": "k1", "said": "Hello there.", "text": "other"}\n{"key": "k2"}\n')
    said = nonet("add", "q", "t.jsonl", "--text-field", "said", "--name-field", "key", "--json").json
    assert (said["added"], said["refused"]) == (2, 1)
    jobs = nonet("list", "q", "--json").json["jobs"]
    assert jobs[0]["document"] == "k1"
    assert "'said'" in jobs[1]["error"]


def test_globs_and_what_is_not_there(nonet: Cli) -> None:
    assert nonet("add", "q", "docs/*.md", "--json").json["added"] == 2
    for given in ("docs/*.pdf", "nowhere.md"):
        said = nonet("add", "q", given)
        assert said.status == 2
        assert given in said.err


def test_a_document_that_is_too_large_is_dead_and_says_why(nonet: Cli, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("x" * 5000)
    (tmp_path / "rows.jsonl").write_text('{"text": "' + "y" * 5000 + '"}\n{"text": "small"}\n')
    said = nonet("add", "q", "big.txt", "rows.jsonl", "--max-bytes", "1000", "--json").json
    assert (said["added"], said["refused"]) == (3, 2)
    jobs = nonet("list", "q", "--status", "dead", "--json").json["jobs"]
    assert ["at most 1,000" in job["error"] for job in jobs] == [True, True]
    assert nonet("retry", "q", "--json").json["jobs"] == 2
    assert nonet("run", "q", "--json").status == 1
    assert nonet("status", "q", "--json").json["dead"] == 2


def test_what_went_wrong_is_listed_shown_and_tried_again(nonet: Cli) -> None:
    nonet("add", "q", "docs", "--workflow", "summarization", "--attempts", "1")
    Path("docs/a.md").unlink()
    said = nonet("run", "q", "--json")
    assert said.status == 1
    events = Counter(line["event"] for line in said.lines)
    assert (events["done"], events["dead"], events["end"]) == (1, 1, 1)
    [dead] = nonet("list", "q", "--status", "dead", "--json").json["jobs"]
    shown = nonet("show", str(dead["job"]))
    assert "try 1" in shown.out
    assert "docs/a.md" in shown.out
    Path("docs/a.md").write_text(TEXT.format("a"))
    assert nonet("retry", "q", str(dead["job"])).out == "1 document waiting again\n"
    assert nonet("run", "q").status == 0
    assert len(nonet("show", str(dead["job"]), "--json").json["errors"]) == 1, "the history stays"


def test_pause_resume_and_cancel(nonet: Cli) -> None:
    nonet("add", "q", "docs")
    assert nonet("pause", "q", "--json").json["paused"] is True
    said = nonet("run", "q")
    assert said.out.startswith("0 done")
    assert "Paused, with documents left: q" in said.err
    assert nonet("resume", "q").out == "q is open: 2 waiting\n"
    assert nonet("cancel", "q", "1").out == "1 document cancelled\n"
    assert nonet("run", "q").out.startswith("1 done")
    assert [each["status"] for each in nonet("export", "q", "--all").lines] == ["cancelled", "done"]


def test_results_as_csv_parquet_and_markdown(nonet: Cli, tmp_path: Path) -> None:
    rows = [{"id": "=1+1", "text": TEXT.format(1)}, {"id": "b/c", "text": TEXT.format(2)}]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    nonet("add", "q", "r.jsonl", "--workflow", "summarization", "--task", TASK)
    assert nonet("export", "q", "--format", "csv").out.strip() == "job,document,status,verdict,output,attempts,error"
    nonet("run", "q", "--quiet")
    assert nonet("export", "q", "-f", "csv", "-o", "r.csv").out == "2 documents in r.csv\n"
    with Path("r.csv").open(newline="", encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    assert [row["document"] for row in told] == ["'=1+1", "b/c"], "no cell is a formula"
    assert nonet("export", "q", "-f", "parquet", "-o", "r.parquet", "--json").json["documents"] == 2
    table = parquet.read_table("r.parquet").to_pylist()
    assert [row["document"] for row in table] == ["=1+1", "b/c"]
    assert nonet("export", "q", "-f", "md", "-o", "out").status == 0
    one, two = sorted(Path("out").iterdir())
    assert (one.name, two.name) == ("000001-1-1.md", "000002-b-c.md")
    assert one.read_text().endswith("---\n\nThe mill wheel number 1 turned all winter.\n")
    for form in ("parquet", "md"):
        assert nonet("export", "q", "-f", form).status == 2
    assert nonet("export", "q", "-o", "no/such/folder.jsonl").status == 1


def test_purge_removes_what_it_is_told(nonet: Cli) -> None:
    nonet("add", "q", "docs", "--workflow", "summarization")
    nonet("run", "q", "--quiet")
    assert nonet("purge", "q").status == 2
    assert nonet("purge", "q", "--older-than", "1", "--json").json["jobs"] == 0
    assert nonet("purge", "q", "--all", "--vacuum", "--json").json["jobs"] == 2
    assert nonet("list", "--json").json == {"queues": []}
    said = nonet("status", "q")
    assert said.status == 2
    assert "There is no queue 'q'" in said.err


def test_a_file_of_a_folder_that_cannot_be_read_is_named_and_the_others_are_added(nonet: Cli) -> None:
    Path("docs/huge.md").symlink_to("/proc/self/mem")
    Path("docs/picture.png").write_bytes(b"x")
    said = nonet("add", "q", "docs", "--json").json
    assert said["added"] == 2
    assert {Path(each["path"]).name for each in said["skipped"]} == {"huge.md", "picture.png"}


def test_mistakes_are_told(nonet: Cli) -> None:
    for words, told in (
        (["add", "q", "docs", "--workflow", "sumarization"], "There is no workflow"),
        (["add", "q", "docs", "--task", " "], "The task is empty"),
        (["add", " ", "docs"], "has no name"),
        (["run", "nobody"], "There is no queue 'nobody'"),
        (["run", "q", "--task", "x"], "go with --watch"),
        (["run", "--watch", "docs"], "--watch needs one queue"),
        (["run", "q", "--watch", "nowhere"], "is not a folder"),
        (["list", "--status", "dead"], "--status goes with a queue"),
        (["show", "99"], "There is no job 99"),
    ):
        said = nonet(*words)
        assert said.status == 2, words
        assert told in said.err


COMMANDS = {
    "batch-add": ["add", "q", "docs", "--again"],
    "batch-run": ["run", "q"],
    "batch-status": ["status", "q"],
    "batch-list": ["list", "q"],
    "batch-show": ["show", "1"],
    "batch-pause": ["pause", "q"],
    "batch-export": ["export", "q"],
    "batch-export-file": ["export", "q", "-o", "out.jsonl"],
    "batch-change": ["cancel", "q"],
}


@pytest.mark.parametrize("name", BATCH_OUTPUTS)
def test_json_is_of_its_schema(nonet: Cli, name: str) -> None:
    nonet("add", "q", "docs", "--workflow", "summarization")
    nonet("run", "q", "--quiet")
    nonet("add", "q", "docs", "--again", "--workflow", "summarization")
    said = nonet(*COMMANDS[name], "--json")
    assert said.status == 0
    documented = set(BATCH_OUTPUTS[name].model_json_schema()["properties"])
    for line in said.out.splitlines():
        BATCH_OUTPUTS[name].model_validate_json(line)
        assert set(json.loads(line)) <= documented | {"delayed", "cancelled"}, "every key is documented"


async def start(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "nonet", "batch", *words, stdout=-1, stderr=-1)


async def until(stream: asyncio.StreamReader | None, sign: bytes) -> bytes:
    assert stream is not None
    seen = b""
    while sign not in seen:
        piece = await asyncio.wait_for(stream.read(4096), 60)
        assert piece, seen.decode(errors="replace")
        seen += piece
    return seen


DOCUMENTS = 60
"""More than are finished before a signal arrives, on however busy a machine."""


def write_rows(number: int) -> None:
    rows = [{"id": str(each), "text": TEXT.format(each)} for each in range(number)]
    Path("r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
async def slow_server(monkeypatch: pytest.MonkeyPatch, nonet: Cli) -> Any:
    async with FakeOllama([("mill", "The mill wheel turned all winter.")], latency_ms=300) as fake:
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        monkeypatch.setenv("OLLAMA_HOST", fake.url)
        write_rows(DOCUMENTS)
        nonet("add", "q", "r.jsonl", "--workflow", "summarization", "--task", TASK)
        yield fake


@pytest.mark.parametrize("times", [1, 2])
async def test_ctrl_c_once_finishes_and_twice_stops(nonet: Cli, slow_server: FakeOllama, times: int) -> None:
    if times == 2:
        slow_server.fault("stall", contains="number 3 ", seconds=60.0)  # so that what is in hand is never finished
    run = await start("run", "q", "--parallel", "4")
    await until(run.stderr, b"done ")
    run.send_signal(signal.SIGINT)
    said = await until(run.stderr, b"Finishing what is in hand")
    if times == 2:
        run.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(run.communicate(), 30)
    said += err
    assert (run.returncode, out) == (130, b"")
    assert b"Traceback" not in said
    assert b"Go on with: nonet batch run q" in said
    left = nonet("status", "q", "--json").json
    assert left["leased"] == 0
    assert left["queued"] + left["done"] == DOCUMENTS
    assert (b"returned" in said) == (times == 2)
    assert slow_server.counts.calls["/api/chat"] < DOCUMENTS


async def test_a_watched_folder_feeds_the_queue(nonet: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    (folder / "first.md").write_text(TEXT.format("first"))
    run = await start("run", "w", "--watch", "incoming", "--workflow", "summarization", "--task", TASK)
    await until(run.stderr, b"done incoming/first.md")
    (folder / ".hidden.md").write_text("hidden")
    (folder / "second.md").write_text(TEXT.format("second"))
    await until(run.stderr, b"second.md: verified")
    run.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(run.communicate(), 30)
    assert run.returncode == 130, err
    assert nonet("status", "w", "--json").json["done"] == 2


def test_the_library_has_the_same_queue(nonet: Cli) -> None:
    nonet("add", "q", "docs", "--task", TASK)
    with library.Queue("q") as queue:
        assert queue.add("docs", task=TASK).known == 2
        queue.pause()
        assert queue.run().done == 0
        queue.resume()
        assert queue.run().done == 2
        assert queue.status().done == 2
        assert queue.pace().rate_per_s > 0
        assert [job.verdict for job in queue.results()] == ["verified", "verified"]
        queue.configure(max_attempts=1)
        queue.add_texts({"x": "A text."}, workflow="summarization")

        async def fails(_document: str, _text: str) -> str:
            raise ValueError("no")

        assert queue.run(fails).dead == 1
        dead = list(queue.results())[-1]
        assert queue.job(dead.seq).errors[-1].message == "ValueError: no"
        assert queue.retry() == 1
        assert queue.cancel([dead.seq]) == 1
        assert queue.purge() == 3


def shots_of(*words: str) -> set[str]:
    """Every line that a terminal has shown while the command ran."""
    screen = pyte.Screen(120, 30)
    shots: set[str] = set()
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(sys.executable, ["-m", "nonet", "batch", *words], dimensions=(30, 120), timeout=60)
    while not child.closed:
        try:
            stream.feed(child.read_nonblocking(4096, timeout=60))
        except pexpect.EOF:
            child.close()
        shots.update(line.rstrip() for line in screen.display)
    assert child.exitstatus == 0
    return shots


async def test_on_a_terminal_a_grid_shows_how_far_it_is(nonet: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    nonet("add", "q", "docs", "--workflow", "summarization", "--task", TASK)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("NONET_RUNTIME", "ollama")
    async with FakeOllama([("mill", "The mill wheel turned all winter.")], latency_ms=1000) as fake:
        monkeypatch.setenv("OLLAMA_HOST", fake.url)
        shots = await asyncio.to_thread(shots_of, "run", "q")
    told = "\n".join(shots)
    assert "2 at work, 0 done, 0 dead" in told
    assert "stages: " in told
    assert "docs/a.md" in told
    assert any(line.startswith("2 done, 0 dead in ") for line in shots)
