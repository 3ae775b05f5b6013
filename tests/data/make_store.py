"""Makes store-vN.db, a small database of this release that later ones must be able to open.

Run once a release, and never again for a release that is out: `python tests/data/make_store.py`.
"""

from __future__ import annotations

from pathlib import Path

from nonet.store import (
    CallRecord,
    EvalChoice,
    EvalItem,
    JobFault,
    JobOutput,
    NewDocument,
    NewEval,
    NewJob,
    Store,
    SubtaskRecord,
)
from nonet.store.migrations import MIGRATIONS

PATH = Path(__file__).with_name(f"store-v{len(MIGRATIONS)}.db")
NOTES = "# Scheduler\n\nA waiting limit makes sure that no request starves.\n"


def main() -> None:
    PATH.unlink(missing_ok=True)
    with Store.open(PATH) as store:
        store.documents.add(NewDocument("notes.md", NOTES, "text/markdown", chunks=[(0, 12), (13, len(NOTES))]))
        pending = store.vectors.pending(10)
        store.vectors.put("minilm", [(chunk.seq, (1.0 - at, float(at))) for at, chunk in enumerate(pending)])
        store.models.save_profile("scripted", "tiny", "d1", '{"plans": 1}')
        store.calibrations.save("scripted", "general", '["tiny", "large"]', 0.7, "{}")
        done = store.runs.create(
            "Why does nothing starve?", runtime="scripted", documents=["notes.md"], owner="release"
        )
        store.runs.save_plan(done, '{"planner": "rules", "subtasks": []}', "rules")
        store.runs.start_attempt(done, "s1", 1, "tiny")
        store.runs.record_call(done, "s1", 1, CallRecord("tiny", prompt_tokens=9, completion_tokens=4, finish="stop"))
        store.runs.finish_attempt(done, "s1", 1, "verified", "[]", "A waiting limit.")
        store.runs.finish_subtask(done, SubtaskRecord("s1", "retrieval", "Why?", "verified", "A waiting limit."))
        store.runs.add_note(done, "swap", "tiny was loaded")
        store.runs.finish(done, "done", "verified", "A waiting limit.", '{"calls": 1}')
        session = store.sessions.create()
        store.sessions.rename(session.id, "release")
        store.sessions.add_run(session.id, done.run)
        open_run = store.runs.create("Summarize notes.md", runtime="scripted", owner="release")
        store.runs.save_plan(open_run, "{}", "rules")
        store.runs.keep_files(open_run, {"calc.py": "def add(a, b): ...\n"})
        queue = store.queues
        names = ("done.md", "dead.md", "waiting.md")
        queue.add("inbox", [NewJob(name, name.encode().ljust(32), 9, text=name) for name in names], work="{}").result()
        worker = queue.register("release").result()
        one, two = queue.claim(worker, 2).result()
        queue.complete(one, JobOutput("verified", "The result.")).result()
        queue.fail(two, JobFault("CallError", "no"), for_good=True).result()
        queue.retire(worker).result()
        first, second = (store.evals.create(NewEval("code", arm, "tiny", "scripted", arm, {"seed": 0})) for arm in "ab")
        store.evals.keep(first.id, EvalItem("i1", "mbpp", "Write f.", "def f(): ...", "failed", {"passed": 0.0}))
        store.evals.choose(first.id, second.id, EvalChoice("i1", "ada", "first", "second"))


if __name__ == "__main__":
    main()
