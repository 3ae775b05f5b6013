"""Steps that concern evaluations. Released ones are never changed."""

from __future__ import annotations

import sqlite3

from nonet.store.steps import run_script

_V7 = """
CREATE TABLE evals (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR NOT NULL UNIQUE,
    suite VARCHAR NOT NULL,
    arm VARCHAR NOT NULL,
    models VARCHAR NOT NULL,
    runtime VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    facts VARCHAR NOT NULL,
    created_at_s FLOAT NOT NULL
);
CREATE INDEX ix_evals_key ON evals (key);
CREATE TABLE eval_items (
    seq INTEGER NOT NULL PRIMARY KEY,
    eval_seq INTEGER NOT NULL REFERENCES evals (seq) ON DELETE CASCADE,
    item VARCHAR NOT NULL,
    item_group VARCHAR NOT NULL,
    request VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    scores VARCHAR NOT NULL,
    usage VARCHAR NOT NULL,
    facts VARCHAR NOT NULL,
    UNIQUE (eval_seq, item)
);
CREATE TABLE eval_choices (
    seq INTEGER NOT NULL PRIMARY KEY,
    first_seq INTEGER NOT NULL REFERENCES evals (seq) ON DELETE CASCADE,
    second_seq INTEGER NOT NULL REFERENCES evals (seq) ON DELETE CASCADE,
    item VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    choice VARCHAR NOT NULL,
    shown_left VARCHAR NOT NULL,
    made_at_s FLOAT NOT NULL,
    UNIQUE (first_seq, second_seq, item, judge)
);
CREATE INDEX ix_eval_choices_second_seq ON eval_choices (second_seq);
"""


def v7(connection: sqlite3.Connection) -> None:
    """Evaluations: answers with their grades, and what judges said of them."""
    run_script(connection, _V7)
