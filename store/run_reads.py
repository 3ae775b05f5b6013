"""Reading one run back, by plain SQL: every run reads itself at its end, and a resumed one at its start."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from nonet.store.leases import is_live
from nonet.store.records import AttemptRecord, CallRecord, NoteRecord, PlanRecord, RunRecord, SubtaskRecord


def status_now(status: str, expires_s: float, process: str) -> str:
    """The status to show: a run that was left running by a process that is gone was interrupted."""
    return "interrupted" if status == "running" and not is_live(expires_s, process, time.time()) else status


def run(connection: sqlite3.Connection, run_id: str) -> RunRecord | None:
    """Everything of that run; None where there is none."""
    row = connection.execute(
        "SELECT r.seq, task.text, r.runtime, r.documents, r.options, r.status, r.verdict, answer.text, r.usage,"
        " r.missing, r.lease_token, r.lease_owner, r.lease_process, r.lease_expires_s, r.created_at_s, r.finished_at_s"
        " FROM runs r JOIN texts task ON task.digest = r.task_digest"
        " LEFT JOIN texts answer ON answer.digest = r.answer_digest WHERE r.id = ?",
        (run_id,),
    ).fetchone()
    if row is None:
        return None
    seq, task, runtime, documents, options, status, verdict, answer, usage, missing, *lease, created, finished = row
    token, owner, process, expires = lease
    return RunRecord(
        id=run_id,
        seq=seq,
        task=task,
        runtime=runtime,
        documents=tuple(json.loads(documents)),
        options=json.loads(options),
        status=status_now(status, expires, process),
        verdict=verdict,
        answer=answer or "",
        usage=json.loads(usage),
        missing=tuple(json.loads(missing)),
        leases=token,
        lease_owner=owner,
        created_at_s=created,
        finished_at_s=finished,
        plans=_plans(connection, seq),
        subtasks=tuple(_subtasks(connection, seq)),
        attempts=_attempts(connection, seq),
        calls=_calls(connection, seq),
        notes=_notes(connection, seq),
    )


def newest_plan(connection: sqlite3.Connection, run_id: str) -> PlanRecord | None:
    """The last revision of the run's plan."""
    row = connection.execute(
        "SELECT p.revision, p.planner, p.status, p.plan, p.created_at_s FROM plans p JOIN runs r ON r.seq = p.run_seq"
        " WHERE r.id = ? ORDER BY p.revision DESC LIMIT 1",
        (run_id,),
    ).fetchone()
    return None if row is None else PlanRecord(*row)


def finished_subtasks(connection: sqlite3.Connection, run_id: str) -> dict[str, SubtaskRecord]:
    """Every subtask of the run that has an artifact, by id."""
    row = connection.execute("SELECT seq FROM runs WHERE id = ?", (run_id,)).fetchone()
    return {} if row is None else {record.id: record for record in _subtasks(connection, row[0])}


def _plans(connection: sqlite3.Connection, seq: int) -> tuple[PlanRecord, ...]:
    rows = connection.execute(
        "SELECT revision, planner, status, plan, created_at_s FROM plans WHERE run_seq = ? ORDER BY revision", (seq,)
    )
    return tuple(PlanRecord(*row) for row in rows)


def _subtasks(connection: sqlite3.Connection, seq: int) -> Iterable[SubtaskRecord]:
    rows = connection.execute(
        "SELECT s.id, s.specialist, s.instruction, a.verdict, t.text, s.inputs, s.attempts, s.model, s.seconds,"
        " a.evidence, a.citations, a.data, s.input_digest, a.text_digest, a.created_at_s"
        " FROM subtasks s JOIN artifacts a ON a.seq = s.artifact_seq JOIN texts t ON t.digest = a.text_digest"
        " WHERE s.run_seq = ? ORDER BY a.seq",
        (seq,),
    )
    for row in rows:
        values: list[Any] = list(row)
        values[5] = tuple(json.loads(values[5]))
        yield SubtaskRecord(*values)


def _attempts(connection: sqlite3.Connection, seq: int) -> tuple[AttemptRecord, ...]:
    rows = connection.execute(
        "SELECT a.subtask, a.number, a.model, a.verdict, a.evidence, coalesce(t.text, ''), a.started_at_s,"
        " a.finished_at_s FROM attempts a LEFT JOIN texts t ON t.digest = a.text_digest"
        " WHERE a.run_seq = ? ORDER BY a.seq",
        (seq,),
    )
    return tuple(AttemptRecord(*row) for row in rows)


def _calls(connection: sqlite3.Connection, seq: int) -> tuple[CallRecord, ...]:
    rows = connection.execute(
        "SELECT c.model, c.kind, c.prompt_tokens, c.completion_tokens, c.seconds, c.load_seconds, c.finish, c.error,"
        " prompt.text, answer.text, c.subtask, c.attempt, c.created_at_s, c.host, c.origin, c.swapped_out,"
        " c.swap_avoided, c.wait_seconds, c.prompt_seconds, c.generation_seconds, c.cached_tokens, c.joules"
        " FROM calls c"
        " LEFT JOIN texts prompt ON prompt.digest = c.prompt_digest"
        " LEFT JOIN texts answer ON answer.digest = c.answer_digest WHERE c.run_seq = ? ORDER BY c.seq",
        (seq,),
    )
    return tuple(_call(row) for row in rows)


def _call(row: tuple[Any, ...]) -> CallRecord:
    values = list(row)
    values[16] = bool(values[16])  # SQLite has no truth values
    return CallRecord(*values)


def _notes(connection: sqlite3.Connection, seq: int) -> tuple[NoteRecord, ...]:
    rows = connection.execute("SELECT kind, text, created_at_s FROM notes WHERE run_seq = ? ORDER BY seq", (seq,))
    return tuple(NoteRecord(*row) for row in rows)
