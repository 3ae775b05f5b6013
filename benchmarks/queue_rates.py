"""What the queue itself costs, beside raw sqlite3 in one run: adding, draining, and the same with a million waiting.

    python benchmarks/queue_rates.py [--documents 4000] [--million 1000000] [--only drain]

    drain   claim and complete, trivial work, one process and four, `synchronous=FULL`: grouped commits beside raw
            sqlite3 that commits one by one (two commits a job), and beside raw sqlite3 in groups of ten
    add     rows of a JSONL file into a queue: rows a second, memory as it grows
    flat    claim and complete with 1,000 and with a million waiting: medians and 95th percentiles; `status` then
    soak    100,000 trivial documents in one process: slopes of memory, files, log and database after warm-up
    slots   50 ms calls on 8 slots: how close one worker comes to the ideal makespan

Timings of a busy machine are noisy; the ratios of one run say more.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nonet.graphs.batch import Batch
from nonet.graphs.batch_add import add_jobs
from nonet.graphs.batch_inputs import InputOptions, read_inputs
from nonet.graphs.batch_work import Performed
from nonet.store import JobOutput, NewJob, Store

PAYLOAD = json.dumps({"doc": "doc-000000.txt", "text": "x" * 160})
RESULT = json.dumps({"summary": "y" * 180})


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s() -> float:
    times = os.times()
    return times.user + times.system


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nonet-queue-") as name:
        yield Path(name)


def rows(path: Path, number: int) -> Path:
    with path.open("w") as file:
        for each in range(number):
            file.write(json.dumps({"id": f"doc-{each:07}", "text": f"document {each} " + "x" * 160}) + "\n")
    return path


def fill(store: Store, number: int) -> None:
    jobs = (
        NewJob(f"d{each}", hashlib.sha256(str(each).encode()).digest(), 160, text=PAYLOAD) for each in range(number)
    )
    add_jobs(store, "q", jobs, work="{}")


# ------------------------------------------------------------------------------------------------ raw sqlite3
RAW_TABLE = """create table jobs(id integer primary key, payload text not null, status text not null default 'queued',
 owner text, lease real, attempts int not null default 0, result text)"""
RAW_CLAIM = """update jobs set status='running', owner=?, lease=?, attempts=attempts+1 where id in
 (select id from jobs where status='queued' order by id limit ?) returning id, payload"""


def raw(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def raw_fill(path: Path, number: int) -> None:
    connection = raw(path)
    connection.execute(RAW_TABLE)
    connection.execute("create index jobs_open on jobs(id) where status='queued'")
    connection.execute("begin")
    connection.executemany("insert into jobs(payload) values(?)", [(PAYLOAD,)] * number)
    connection.execute("commit")
    connection.close()


def raw_drain(path: Path, group: int) -> int:
    connection, me, done = raw(path), str(os.getpid()), 0
    while found := connection.execute(RAW_CLAIM, (me, time.time() + 60, group)).fetchall():
        if group > 1:
            connection.execute("begin immediate")
        connection.executemany(
            "update jobs set status='done', result=? where id=? and owner=?", [(RESULT, row[0], me) for row in found]
        )
        if group > 1:
            connection.execute("commit")
        done += len(found)
    return done


def raw_one(path: Path) -> int:
    return raw_drain(path, 1)


def raw_ten(path: Path) -> int:
    return raw_drain(path, 10)


# ------------------------------------------------------------------------------------------------ nonet
async def trivial(_job: Any, _on_event: Any) -> Performed:
    return Performed(JobOutput("unverified", RESULT))


def nonet_drain(path: Path) -> int:
    with Store.open(path) as store:
        return asyncio.run(Batch(store, trivial, str(os.getpid()), places=64).run()).done


def nonet_fill(path: Path, number: int) -> None:
    with Store.open(path) as store:
        fill(store, number)


PEERS: dict[str, tuple[Callable[[Path, int], None], Callable[[Path], int]]] = {
    "raw sqlite3, one by one": (raw_fill, raw_one),
    "raw sqlite3, tens": (raw_fill, raw_ten),
    "nonet": (nonet_fill, nonet_drain),
}


def child(name: str, path: Path, ready: Any, go: Any, out: Any) -> None:
    ready.release()
    go.wait()
    cpu = cpu_s()
    done = PEERS[name][1](path)
    out.put((time.time(), done, cpu_s() - cpu))


def drain_rate(name: str, documents: int, processes: int) -> tuple[float, float]:
    """(jobs a second, CPU µs a job)"""
    context = multiprocessing.get_context("spawn")
    with folder() as place:
        path = place / "q.db"
        PEERS[name][0](path, documents)
        ready, go, out = context.Semaphore(0), context.Event(), context.Queue()
        lives = [context.Process(target=child, args=(name, path, ready, go, out)) for _ in range(processes)]
        for life in lives:
            life.start()
        for _ in lives:
            ready.acquire()
        started = time.time()
        go.set()
        ended = [out.get(timeout=600) for _ in lives]
        for life in lives:
            life.join()
        assert sum(done for _, done, _ in ended) == documents, "every job once"
        seconds = max(at for at, _, _ in ended) - started
        return documents / seconds, sum(cpu for _, _, cpu in ended) / documents * 1e6


def drain(documents: int, _million: int) -> None:
    print(f"\n## drain: {documents:,} trivial jobs, synchronous=FULL, three rounds interleaved, medians\n")
    print("| queue | 1 process, jobs/s | CPU us a job | 4 processes, jobs/s | CPU us a job |")
    print("|---|---:|---:|---:|---:|")
    measured: dict[str, list[list[tuple[float, float]]]] = {name: [[], []] for name in PEERS}
    for _ in range(3):
        for name in PEERS:
            for place, processes in enumerate((1, 4)):
                measured[name][place].append(drain_rate(name, documents, processes))
    middle = {
        name: [tuple(statistics.median(each[part] for each in rounds) for part in (0, 1)) for rounds in both]
        for name, both in measured.items()
    }
    for name, (one, four) in middle.items():
        print(f"| {name} | {one[0]:,.0f} | {one[1]:.0f} | {four[0]:,.0f} | {four[1]:.0f} |")
    floor = middle["raw sqlite3, one by one"]
    ours = middle["nonet"]
    print(
        f"\nnonet drains {ours[0][0] / floor[0][0]:.1f} times as fast as raw sqlite3 one by one with one process,",
        end="",
    )
    print(f" {ours[1][0] / floor[1][0]:.1f} times with four.")


def add(_documents: int, million: int) -> None:
    print(f"\n## add: {million:,} rows of JSONL\n")
    with folder() as place:
        source = rows(place / "rows.jsonl", million)
        marks: list[tuple[int, float]] = []

        def told(added: Any) -> None:
            marks.append((added.jobs, rss_mb()))

        with Store.open(place / "q.db") as store:
            cpu, started = cpu_s(), time.perf_counter()
            add_jobs(store, "q", read_inputs([str(source)], InputOptions()), work="{}", on_added=told)
            seconds = time.perf_counter() - started
            print(f"{million / seconds:,.0f} rows/s ({million / (cpu_s() - cpu):,.0f} a second of CPU)")
            tenth = marks[len(marks) // 10][1]
            print(f"memory: {tenth:.0f} MB after a tenth, {marks[-1][1]:.0f} MB at the end")


def flat(_documents: int, million: int) -> None:
    print("\n## flat: claim and complete one document, as a process would that works on one at a time\n")
    print("| waiting | median us | p95 us | CPU us | status ms (largest of 20) |")
    print("|---:|---:|---:|---:|---:|")
    p95: list[float] = []
    for number in (1000, million):
        with folder() as place, Store.open(place / "q.db") as store:
            add_jobs(store, "q", read_inputs([str(rows(place / "r.jsonl", number))], InputOptions()), work="{}")
            worker = store.queues.register("bench").result()
            spent = []
            cpu = cpu_s()
            for _ in range(800):
                started = time.perf_counter()
                [job] = store.queues.claim(worker, 1).result()
                store.queues.complete(job, JobOutput("unverified", RESULT)).result()
                spent.append(time.perf_counter() - started)
            cpu = (cpu_s() - cpu) / len(spent) * 1e6
            spent = sorted(spent[50:])
            p95.append(spent[int(len(spent) * 0.95)] * 1e6)
            looks = []
            for _ in range(20):
                started = time.perf_counter()
                store.queues.get("q"), store.queues.pace("q"), store.queues.at_work("q"), store.queues.failing("q")
                looks.append(time.perf_counter() - started)
            middle = statistics.median(spent) * 1e6
            print(f"| {number:,} | {middle:.0f} | {p95[-1]:.0f} | {cpu:.0f} | {max(looks) * 1e3:.1f} |")
    print(f"\np95 with {million:,} waiting is {p95[1] / p95[0]:.2f} times that with 1,000.")


def sizes_of(path: Path) -> tuple[float, int, float, float]:
    """Memory, open files, log and database."""
    log, database = (Path(f"{path}{suffix}").stat().st_size / 1e6 for suffix in ("-wal", ""))
    return rss_mb(), sum(1 for _ in Path("/proc/self/fd").iterdir()), log, database


def soak(_documents: int, million: int) -> None:
    number = min(100_000, million)
    print(f"\n## soak: {number:,} trivial documents in one process\n")
    with folder() as place:
        path = place / "q.db"
        with Store.open(path) as store:
            fill(store, number)
            marks: list[tuple[int, float, int, float, float]] = []
            done = 0

            async def work(job: Any, on_event: Any) -> Performed:
                nonlocal done
                done += 1
                if done % 5000 == 0:
                    gc.collect()
                    marks.append((done, *sizes_of(path)))
                return await trivial(job, on_event)

            report = asyncio.run(Batch(store, work, "bench", places=64).run())
            warm = marks[len(marks) // 5 :]
            span = (warm[-1][0] - warm[0][0]) / 1000
            print(f"{report.done / report.seconds:,.0f} documents/s")
            print("| | after warm-up | at the end | slope per 1,000 documents |")
            print("|---|---:|---:|---:|")
            for place_of, what in enumerate(("memory, MB", "open files", "log, MB", "database, MB"), start=1):
                first, last = warm[0][place_of], warm[-1][place_of]
                print(f"| {what} | {first:.1f} | {last:.1f} | {(last - first) / span:+.4f} |")
            size = path.stat().st_size / number
            print(f"database: {size:.0f} bytes a finished document, of which its result is {len(RESULT)}")


def slots(_documents: int, _million: int) -> None:
    from nonet.graphs.batch_open import batch_of
    from nonet.graphs.batch_work import Work
    from nonet.graphs.session import Session
    from nonet.settings import Settings

    number, seconds, at_once = 640, 0.05, 8
    print(f"\n## slots: {number} documents, one call of {seconds * 1e3:.0f} ms each, {at_once} slots\n")

    async def model_work(path: Path) -> tuple[float, float]:
        settings = Settings(runtime="scripted", db=path, slots=at_once, response_cache_megabytes=0)
        async with await Session.open(settings) as session:
            session.runtime._latency_seconds = seconds  # noqa: SLF001  the one thing that a setting does not say
            work = Work("general", "Say something of {document}.").to_json()
            jobs = [
                NewJob(f"d{n}", hashlib.sha256(str(n).encode()).digest(), 9, text=f"Text {n}.") for n in range(number)
            ]
            add_jobs(session.store, "warm", jobs[:16], work=work)
            await batch_of(session).run()
            add_jobs(session.store, "q", jobs, work=work)
            cpu = cpu_s()
            report = await batch_of(session, ["q"]).run()
            return report.seconds, (cpu_s() - cpu) / number * 1e3

    async def bare_work(path: Path) -> float:
        gate = asyncio.Semaphore(at_once)

        async def perform(job: Any, on_event: Any) -> Performed:
            async with gate:
                await asyncio.sleep(seconds)
            return await trivial(job, on_event)

        with Store.open(path) as store:
            fill(store, number)
            return (await Batch(store, perform, "bench", places=4 * at_once).run()).seconds

    async def floor() -> float:
        gate = asyncio.Semaphore(at_once)

        async def call() -> None:
            async with gate:
                await asyncio.sleep(seconds)

        started = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(number)))
        return time.perf_counter() - started

    ideal = number * seconds / at_once
    took = asyncio.run(floor())
    print(f"the event loop alone: {took:.2f} s, {ideal / took:.1%} of the ideal {ideal:.2f} s")
    with folder() as place:
        took = asyncio.run(bare_work(place / "bare.db"))
        print(f"the queue alone: {took:.2f} s, {ideal / took:.1%} of the ideal")
        took, cpu = asyncio.run(model_work(place / "models.db"))
        print(
            f"with runs of one subtask: {took:.2f} s, {ideal / took:.1%} of the ideal; {cpu:.1f} ms of CPU a document"
        )


PARTS = {"drain": drain, "add": add, "flat": flat, "soak": soak, "slots": slots}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    for name, part in PARTS.items():
        if options.only in {None, name}:
            part(options.documents, options.million)


if __name__ == "__main__":
    main()
