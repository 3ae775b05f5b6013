"""Steps that concern documents and their vectors. Released ones are never changed."""

from __future__ import annotations

import sqlite3

from nonet.store.segmentless import pairs
from nonet.store.steps import run_script

_V4 = """
ALTER TABLE documents DROP COLUMN vector_model;
ALTER TABLE documents ADD COLUMN collection VARCHAR NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN dated_at_s FLOAT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN file_digest VARCHAR NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN rules VARCHAR NOT NULL DEFAULT '';
UPDATE documents SET dated_at_s = modified_at_s;
CREATE INDEX ix_documents_collection ON documents (collection);
CREATE INDEX ix_documents_file_digest ON documents (file_digest);
ALTER TABLE chunks DROP COLUMN vector;
ALTER TABLE chunks ADD COLUMN page INTEGER;
CREATE TABLE vector_space (
    model VARCHAR NOT NULL PRIMARY KEY,
    dimensions INTEGER NOT NULL
);
CREATE TABLE vectors (
    chunk_seq INTEGER NOT NULL PRIMARY KEY REFERENCES chunks (seq) ON DELETE CASCADE,
    codes BLOB NOT NULL
);
CREATE TABLE vector_blocks (
    seq INTEGER NOT NULL PRIMARY KEY,
    first_chunk INTEGER NOT NULL,
    last_chunk INTEGER NOT NULL,
    chunks BLOB NOT NULL,
    signs BLOB NOT NULL
);
CREATE INDEX ix_vector_blocks_first_chunk ON vector_blocks (first_chunk);
CREATE VIRTUAL TABLE pair_index USING fts5 (
    pairs, content = '', tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);
"""


def v4(connection: sqlite3.Connection) -> None:
    """Collections, provenance, vectors in signed bytes, and words of scripts without spaces.

    Vectors in the old form, which nothing searched, are left behind: `nonet docs embed` makes them anew.
    """
    run_script(connection, _V4)
    for seq, body in connection.execute("SELECT seq, body FROM chunk_texts").fetchall():
        if found := pairs(body):
            connection.execute("INSERT INTO pair_index (rowid, pairs) VALUES (?, ?)", (seq, found))
