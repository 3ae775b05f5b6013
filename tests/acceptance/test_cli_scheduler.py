"""`nonet hosts`, `nonet stats` and `nonet runs trace` as a user meets them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.beside import beside
from fakes.ollama import FakeOllama

from nonet.cli import main
from nonet.schema import OUTPUTS


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    def json(self, name: str) -> Any:
        """The one object on standard output, of its schema."""
        assert self.out.count("\n") == 1, self.out
        value = json.loads(self.out)
        OUTPUTS[name].model_validate(value)
        return value


Cli = Callable[..., Said]


@pytest.fixture
def nonet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "stdin", None)
        status = main(words)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(status, captured.out, captured.err)

    return run


@pytest.fixture
def fake() -> Iterator[FakeOllama]:
    with beside(FakeOllama(latency_ms=5, load_ms=60)) as server:
        yield server


def test_hosts_are_shown_with_what_is_in_their_memory(
    nonet: Cli, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = fake.url.removeprefix("http://")
    monkeypatch.setenv("NONET_OLLAMA_HOSTS", json.dumps([fake.url, "127.0.0.1:9"]))
    assert nonet("run", "Write a Python function double(x).", "--runtime", "ollama", "--quiet").status in (0, 1)
    said = nonet("hosts", "list", "--json").json("hosts-list")
    up, down = said["hosts"]
    assert (up["host"], up["state"], up["version"]) == (host, "up", "0.32.15")
    loaded = {model["name"]: model for model in up["loaded"]}
    assert "qwen2.5-coder:0.5b" in loaded
    assert 0 < loaded["qwen2.5-coder:0.5b"]["expires_in_seconds"] <= 1800
    assert up["load_seconds"]["qwen2.5-coder:0.5b"] >= 0.06
    assert (down["host"], down["state"], down["fault"]) == ("127.0.0.1:9", "down", "it does not answer")
    shown = nonet("hosts")
    assert shown.status == 0
    assert shown.out.count("\n") == nonet("hosts", "list").out.count("\n")
    assert f"{host}  up  Ollama 0.32.15" in shown.out
    assert "loads in 0." in shown.out


def test_where_no_host_answers_the_status_says_so(nonet: Cli) -> None:
    said = nonet("hosts", "list")
    assert said.status == 3
    assert "down" in said.out


def test_hosts_are_added_drained_and_forgotten(nonet: Cli, fake: FakeOllama) -> None:
    host = fake.url.removeprefix("http://")
    assert nonet("hosts", "add", fake.url, "--json").json("hosts-change") == {"host": host, "action": "add"}
    assert nonet("hosts", "drain", host).status == 0
    states = {each["host"]: each["state"] for each in nonet("hosts", "list", "--json").json("hosts-list")["hosts"]}
    assert states == {"127.0.0.1:9": "down", host: "draining"}
    assert nonet("hosts", "remove", host).status == 0
    said = nonet("hosts", "remove", host)
    assert said.status == 2
    assert "No host" in said.err
    assert nonet("hosts", "add", "not an address").status == 2


def test_stats_and_traces_of_a_run(
    nonet: Cli, fake: FakeOllama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ("--runtime", "ollama", "--quiet")
    monkeypatch.setenv("OLLAMA_HOST", fake.url)
    assert nonet("run", "Explain what a queue is, then write a Python function double(x).", *flags).status in (0, 1)
    for kind in ("model", "host", "run", "subtask", "job"):
        said = nonet("stats", "--by", kind, "--json").json("stats")
        assert sum(row["calls"] for row in said["rows"]) == (0 if kind == "job" else said["total"]["calls"])
    assert said["total"]["calls"] > 0
    assert nonet("run", "Explain what a queue is, then write a Python function double(x).", *flags).status in (0, 1)
    assert "answered from the cache" in nonet("runs", "show").out
    shown = nonet("stats")
    assert "qwen2.5-coder:0.5b" in shown.out
    assert "Response cache: " in shown.err
    assert nonet("stats", "--by", "nonsense").status == 2

    first = nonet("stats", "--by", "run", "--json").json("stats")["rows"][0]["name"]
    events = json.loads(nonet("runs", "trace", first).out)
    assert {event["cat"] for event in events if event["ph"] == "X"} >= {"call", "attempt", "load"}
    wrote = nonet("runs", "trace", first, "--format", "svg", "-o", "run.svg", "--json").json("runs-trace")
    assert wrote["path"] == "run.svg"
    assert (tmp_path / "run.svg").read_text().startswith("<svg")
    assert nonet("runs", "trace", first, "-o", "trace.json").status == 0
    assert nonet("runs", "trace", "--from", "trace.json", "--format", "svg", "-o", "again.svg").status == 0
    assert (tmp_path / "again.svg").read_text().count("<rect") == (tmp_path / "run.svg").read_text().count("<rect")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("runs", "trace", "--from", "missing.json"), "cannot be read"),
        (("runs", "trace", "--from", "notes.txt"), "is not a trace that nonet wrote"),
        (("runs", "trace", "abc", "--from", "notes.txt"), "not both"),
    ],
)
def test_a_mistake_is_explained(nonet: Cli, tmp_path: Path, words: tuple[str, ...], expected: str) -> None:
    (tmp_path / "notes.txt").write_text("{}")
    said = nonet(*words)
    assert said.status == 2
    assert expected in said.err
