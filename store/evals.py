"""Evaluations: what each way of answering gave for each item, and what judges said of two of them."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nonet.errors import EvalNotFoundError
from nonet.store.artifacts import storable
from nonet.store.eval_records import EvalChoice, EvalItem, EvalRecord, NewEval
from nonet.store.names import nearest
from nonet.store.reader import Reader
from nonet.store.writer import Writer

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 6
_COLUMNS = (
    "id, suite, arm, models, runtime, facts, (SELECT count(*) FROM eval_items WHERE eval_seq = evals.seq), created_at_s"
)


class EvalStore:
    """The evaluations of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def create(self, new: NewEval) -> EvalRecord:
        """A new, empty evaluation; durable on return. Raises StoreError."""
        name = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        now = time.time()
        values = (name, new.suite, new.arm, new.models, new.runtime, new.key, json.dumps(dict(new.facts)), now)
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT INTO evals (id, suite, arm, models, runtime, key, facts, created_at_s)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        ).result()
        return EvalRecord(name, new.suite, new.arm, new.models, new.runtime, new.facts, 0, now)

    def newest(self, key: str) -> EvalRecord | None:
        """The last one that was begun with that key. Raises StoreError."""
        row = self._reader.row(f"SELECT {_COLUMNS} FROM evals WHERE key = ? ORDER BY seq DESC LIMIT 1", (key,))  # noqa: S608 - our own words
        return None if row is None else _record(row)

    def list(self, limit: int = 20) -> list[EvalRecord]:
        """The newest first. Raises StoreError."""
        rows = self._reader.rows(f"SELECT {_COLUMNS} FROM evals ORDER BY seq DESC LIMIT ?", (limit,))  # noqa: S608
        return [_record(row) for row in rows]

    def get(self, name: str) -> EvalRecord:
        """The one of that id, of an id that begins so, or "last". Raises EvalNotFoundError, StoreError."""
        wanted = storable(name).strip().lower()
        if wanted == "last":
            found = self._reader.rows(f"SELECT {_COLUMNS} FROM evals ORDER BY seq DESC LIMIT 1")  # noqa: S608
        else:
            found = self._reader.rows(
                f"SELECT {_COLUMNS} FROM evals WHERE ?1 <> '' AND substr(id, 1, length(?1)) = ?1 LIMIT 4",  # noqa: S608
                (wanted,),
            )
        if len(found) == 1:
            return _record(found[0])
        if found:
            several = ", ".join(row[0] for row in found)
            raise EvalNotFoundError(f"Several evaluations begin with {name}: {several}.", next_step="Give more of it.")
        known = [row[0] for row in self._reader.rows("SELECT id FROM evals ORDER BY seq DESC LIMIT 1000")]
        hint = nearest(wanted, known)
        raise EvalNotFoundError(
            f"There is no evaluation {name}." if known else "There are no evaluations yet.",
            next_step=f"{hint} See `nonet eval list`.".strip() if known else "Make one with `nonet eval`.",
        )

    def keep(self, eval_id: str, item: EvalItem) -> None:
        """Keep an item, in place of an earlier answer to it; durable on return. Raises StoreError."""
        fields = asdict(item)
        texts = [storable(fields[name]) for name in ("item", "group", "request", "answer", "verdict")]
        facts = [json.dumps(fields[name]) for name in ("scores", "usage", "facts")]
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO eval_items (eval_seq, item, item_group, request, answer, verdict, scores,"
                " usage, facts) VALUES ((SELECT seq FROM evals WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?)",
                (eval_id, *texts, *facts),
            )
        ).result()

    def items(self, eval_id: str) -> Sequence[EvalItem]:
        """What was answered, in the order of the answers. Raises StoreError."""
        rows = self._reader.rows(
            "SELECT item, item_group, request, answer, verdict, scores, usage, facts FROM eval_items"
            " WHERE eval_seq = (SELECT seq FROM evals WHERE id = ?) ORDER BY seq",
            (eval_id,),
        )
        return [EvalItem(*row[:5], *(json.loads(each) for each in row[5:])) for row in rows]

    def remove(self, eval_ids: Sequence[str]) -> None:
        """Remove evaluations, their items, and what judges said of them; durable on return. Raises StoreError."""

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM evals WHERE id = ?", [(each,) for each in eval_ids])

        self._writer.call(write).result()

    def choose(self, first: str, second: str, choice: EvalChoice) -> None:
        """Keep what a judge said of an item, in place of what the same judge said before. Raises StoreError."""
        now = time.time()
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO eval_choices (first_seq, second_seq, item, judge, choice, shown_left,"
                " made_at_s) VALUES ((SELECT seq FROM evals WHERE id = ?), (SELECT seq FROM evals WHERE id = ?),"
                " ?, ?, ?, ?, ?)",
                (first, second, choice.item, storable(choice.judge), choice.choice, choice.left, now),
            )
        ).result()

    def choices(self, first: str, second: str) -> Sequence[EvalChoice]:
        """All that judges said of a pair, in the order it was said. Raises StoreError."""
        rows = self._reader.rows(
            "SELECT item, judge, choice, shown_left FROM eval_choices WHERE first_seq = (SELECT seq FROM evals"
            " WHERE id = ?) AND second_seq = (SELECT seq FROM evals WHERE id = ?) ORDER BY seq",
            (first, second),
        )
        return [EvalChoice(*row) for row in rows]


def _record(row: tuple[Any, ...]) -> EvalRecord:
    name, suite, arm, models, runtime, facts, items, created_at_s = row
    return EvalRecord(name, suite, arm, models, runtime, json.loads(facts), items, created_at_s)
