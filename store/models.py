"""What was measured of models (`nonet doctor`), by runtime and name."""

from __future__ import annotations

import time

from nonet.store.reader import Reader
from nonet.store.records import ModelProfile
from nonet.store.writer import Writer


class ModelStore:
    """The profiles of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def save_profile(self, runtime: str, model: str, digest: str, profile_json: str) -> None:
        """Keep a profile in place of an earlier one; durable on return. Raises StoreError."""
        now = time.time()
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO models (runtime, model, digest, profile, measured_at_s) VALUES (?, ?, ?, ?, ?)",
                (runtime, model, digest, profile_json, now),
            )
        ).result()

    def profile(self, runtime: str, model: str) -> ModelProfile | None:
        """The model's profile, or None where it was never measured. Compare its digest. Raises StoreError."""
        row = self._reader.row(
            "SELECT runtime, model, digest, profile, measured_at_s FROM models WHERE runtime = ? AND model = ?",
            (runtime, model),
        )
        return None if row is None else ModelProfile(*row)

    def profiles(self, runtime: str | None = None) -> list[ModelProfile]:
        """All profiles, or those of one runtime, by name. Raises StoreError."""
        rows = self._reader.rows(
            "SELECT runtime, model, digest, profile, measured_at_s FROM models"
            " WHERE ?1 IS NULL OR runtime = ?1 ORDER BY runtime, model",
            (runtime,),
        )
        return [ModelProfile(*row) for row in rows]
