"""What calls cost and what was saved, kept with the run: answers from the cache, hosts, swaps, and measured loads."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from fakes.ollama import FakeOllama
from fakes.ollama_parts import FakeModel

from nonet.graphs.batch_open import batch_of
from nonet.graphs.batch_work import Work
from nonet.graphs.host_watch import HostWatch
from nonet.graphs.run import run_task
from nonet.graphs.session import Session
from nonet.graphs.timeline import Rows, call_spans, timeline
from nonet.graphs.trace import from_trace, to_trace
from nonet.settings import Settings
from nonet.store import CallRecord, NewJob
from nonet.trace_svg import to_svg

TASK = "Write a Python function double(x) that returns twice x, then explain what a queue is."
SMALL, CODER = "smollm2:135m", "qwen2.5-coder:0.5b"


@asynccontextmanager
async def session_on(fake: FakeOllama, path: Path, **more: Any) -> AsyncIterator[Session]:
    settings = Settings(runtime="ollama", ollama_host=fake.url, db=path, embed_model=None, **more)
    async with await Session.open(settings) as session:
        yield session


async def test_the_same_task_again_asks_no_model_and_says_so(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        async with session_on(fake, tmp_path / "nonet.db") as session:
            first = await run_task(session, TASK)
        asked = fake.counts.calls["/api/chat"]
        async with session_on(fake, tmp_path / "nonet.db") as session:
            again = await run_task(session, TASK)
            calls = session.store.runs.get(again.run).calls
            counts = session.store.responses.counts()
        assert fake.counts.calls["/api/chat"] == asked > 0
        assert again.answer == first.answer
        assert {call.origin for call in calls} == {"cache"}
        assert again.usage.completion_tokens == 0
        assert counts.hits == len(calls)


async def test_the_cache_can_be_turned_off(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        for _ in range(2):
            async with session_on(fake, tmp_path / "nonet.db", response_cache_megabytes=0) as session:
                result = await run_task(session, TASK)
                assert {call.origin for call in session.store.runs.get(result.run).calls} == {""}
                assert session.store.responses.counts().responses == 0


async def test_a_model_that_was_made_anew_under_its_name_is_asked_again(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        async with session_on(fake, tmp_path / "nonet.db") as session:
            await run_task(session, TASK)
        asked = fake.counts.calls["/api/chat"]
        fake.models = {
            name: type(model)(**{**_fields(model), "modelfile_extra": "SYSTEM other"})
            for name, model in fake.models.items()
        }
        async with session_on(fake, tmp_path / "nonet.db") as session:
            await run_task(session, TASK)
        assert fake.counts.calls["/api/chat"] == 2 * asked


def _fields(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


async def test_a_call_says_where_it_ran_and_what_it_took(tmp_path: Path) -> None:
    async with FakeOllama(load_ms=60, latency_ms=20, max_loaded=1) as fake:
        ladders = {"code": [CODER], "general": [SMALL], "retrieval": [SMALL], "summarization": [SMALL]}
        notes = tmp_path / "notes.md"
        notes.write_text("# Queues\n\nA queue hands out what came first. It is fair to all who wait.\n")
        async with session_on(fake, tmp_path / "nonet.db", max_loaded_models=1, models=ladders) as session:
            task = "Write a Python function double(x) that returns twice x, then summarize notes.md."
            result = await run_task(session, task, documents=[notes])
            calls = session.store.runs.get(result.run).calls
            assert {call.host for call in calls} == {fake.url.removeprefix("http://")}
            assert all(call.prompt_seconds >= 0.02 for call in calls)
            assert {call.model for call in calls if call.load_seconds > 0} == {CODER, SMALL}
            assert [call.swapped_out for call in calls if call.swapped_out] in ([CODER], [SMALL])
            assert result.usage.swaps == 1
        async with session_on(fake, tmp_path / "nonet.db", max_loaded_models=1, models=ladders) as session:
            [host] = session.scheduler.policy.board.hosts.values()
            assert host.load_seconds.keys() == {CODER, SMALL}  # measured before, and known from the start
            assert all(seconds >= 0.06 for seconds in host.load_seconds.values())


async def test_sums_are_of_the_calls_by_model_host_subtask_and_run(tmp_path: Path) -> None:
    async with FakeOllama(latency_ms=20) as fake, session_on(fake, tmp_path / "nonet.db") as session:
        result = await run_task(session, TASK)
        await run_task(session, TASK)
        accounts = session.store.accounts
        total = accounts.total()
        calls = session.store.runs.get(result.run).calls
        assert (total.calls, total.from_cache) == (2 * len(calls), len(calls))
        assert total.completion_tokens == result.usage.completion_tokens
        assert total.prompt_seconds == sum(call.prompt_seconds for call in calls) > 0
        for kind in ("model", "host", "subtask", "run"):
            rows = accounts.by(kind)
            assert sum(row.calls for row in rows) == total.calls, kind
        assert {row.name for row in accounts.by("run")} >= {result.run}
        assert {row.name for row in accounts.by("host")} == {fake.url.removeprefix("http://"), ""}
        assert accounts.by("job") == []
        assert accounts.total(since_s=time.time() + 60).calls == 0


async def test_what_was_removed_stays_in_the_sums_and_embeddings_are_in_them(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("The pump in bay 3 was replaced in May. Its serial number is AX-7.\n")
    settings = Settings(runtime="scripted", db=tmp_path / "nonet.db", response_cache_megabytes=0)
    async with await Session.open(settings) as session:
        accounts = session.store.accounts
        await run_task(session, "What is the serial number of the pump?", documents=[notes])
        await run_task(session, "Tell me a joke.")
        before, models = accounts.total(), accounts.by("model")
        assert session.embed_model in {row.name for row in models}
        assert sum(row.calls for row in models) == before.calls
        runs = {row.name: row.calls for row in accounts.by("run")}
        assert session.store.runs.prune(keep=0).runs == 2
        after = accounts.by("run")
        assert (accounts.total(), accounts.by("model")) == (before, models)
        assert {row.name for row in after} == {"(embeddings)", "(removed runs)"}
        removed = sum(calls for name, calls in runs.items() if name != "(embeddings)")
        assert next(row.calls for row in after if row.name == "(removed runs)") == removed
        assert accounts.total(since_s=time.time() + 7200).calls == 0

        jobs = [NewJob(f"d{number}", bytes([number] * 32), 5, text="A text.") for number in range(3)]
        session.store.queues.add("inbox", jobs, work=Work("general", "Say {document}.").to_json()).result()
        report = await batch_of(session).run()
        assert report.done == 3
        assert session.store.runs.list() == []
        [finished] = accounts.by("job")
        assert (finished.name, finished.calls) == ("inbox (finished)", session.store.queues.get("inbox").usage.calls)
        assert accounts.total().calls == before.calls + finished.calls


async def test_a_trace_grows_while_calls_are_made_and_ends_as_json(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with (
        FakeOllama(latency_ms=20, load_ms=60) as fake,
        session_on(fake, tmp_path / "nonet.db", trace_file=path) as session,
    ):
        result = await run_task(session, TASK)
        growing = from_trace(path)  # its array is not closed yet
        record = session.store.runs.get(result.run)
    assert isinstance(json.loads(path.read_text()), list)
    assert from_trace(path) == growing
    assert {span.facts["model"] for span in growing if span.kind == "call" and span.facts} == {
        call.model for call in record.calls
    }
    kept = [span for span in timeline([record]) if span.kind != "attempt"]
    assert sorted(span.name for span in kept) == sorted(span.name for span in growing)
    for span in kept:
        assert span.began_s <= span.ended_s
    loads = [span for span in kept if span.kind == "load"]
    assert all(0.059 <= span.ended_s - span.began_s < 1 for span in loads)
    assert loads
    events = to_trace(timeline([record]))
    assert {event["ph"] for event in events} == {"M", "X"}
    picture = ET.fromstring(to_svg(timeline([record]), "a <run>"))
    bars = [element for element in picture.iter() if element.tag.endswith("rect")]
    assert len(bars) > len(kept)


def test_calls_at_the_same_time_have_rows_of_their_own() -> None:
    rows = Rows()
    calls = [CallRecord("m", host="h", seconds=2.0, created_at_s=at_s, subtask="s1") for at_s in (2.0, 3.0, 4.5)]
    spans = [span for call in calls for span in call_spans("r", call, rows) if span.group == "host h"]
    assert [span.row for span in spans] == ["slot 1", "slot 2", "slot 1"]


async def test_a_session_follows_the_hosts_that_are_added_drained_and_removed(tmp_path: Path) -> None:
    async with FakeOllama() as one, FakeOllama() as two, session_on(one, tmp_path / "nonet.db") as session:
        name = two.url.removeprefix("http://")
        watch = HostWatch(session.settings, session.store, session.scheduler)
        session.store.hosts.add(name)
        await watch.follow(session.store.hosts.known())
        assert session.scheduler.servers[name].host.has(SMALL)
        session.store.hosts.add(one.url.removeprefix("http://"), draining=True)
        await watch.follow(session.store.hosts.known())
        await run_task(session, TASK)
        assert one.counts.calls["/api/chat"] == 0
        assert two.counts.calls["/api/chat"] > 0
        session.store.hosts.remove(name)
        session.store.hosts.remove(one.url.removeprefix("http://"))
        await watch.follow(session.store.hosts.known())
        assert list(session.scheduler.servers) == [one.url.removeprefix("http://")]
        assert session.scheduler.servers[one.url.removeprefix("http://")].host.serves
        await watch.aclose()


async def test_a_batch_has_more_documents_in_hand_where_models_make_room_for_one_another(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        async with session_on(fake, tmp_path / "nonet.db", slots=2) as session:
            few = batch_of(session).places
        async with session_on(fake, tmp_path / "nonet.db", slots=2, max_loaded_models=1) as session:
            assert batch_of(session).places > few == 8


async def test_a_host_that_was_down_at_the_start_says_what_it_has_when_it_is_back(tmp_path: Path) -> None:
    async with FakeOllama() as gone:
        port = int(gone.url.rsplit(":", 1)[1])
    async with FakeOllama() as one:
        hosts = [one.url, f"http://127.0.0.1:{port}"]
        settings = Settings(runtime="ollama", ollama_hosts=hosts, db=tmp_path / "nonet.db")
        async with await Session.open(settings) as session:
            late = session.scheduler.servers[f"127.0.0.1:{port}"]
            assert not late.host.up
            assert not late.host.has(CODER)
            await run_task(session, TASK)
            few = [FakeModel(SMALL)]
            async with FakeOllama(models=few, port=port):
                assert await late.probe()
                assert late.host.has(SMALL)
                assert not late.host.has(CODER)
