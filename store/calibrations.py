"""Where each specialist's ladder is climbed, as `nonet calibrate` measured it."""

from __future__ import annotations

import time

from nonet.store.reader import Reader
from nonet.store.records import CalibrationRecord
from nonet.store.writer import Writer


class CalibrationStore:
    """The calibrations of one database: the newest of each runtime and specialist."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def save(self, runtime: str, specialist: str, ladder: str, bar: float, report_json: str) -> None:
        """Keep it in place of an earlier one; durable on return. Raises StoreError."""
        now = time.time()
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO calibrations (runtime, specialist, ladder, bar, report, made_at_s)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (runtime, specialist, ladder, bar, report_json, now),
            )
        ).result()

    def of(self, runtime: str) -> list[CalibrationRecord]:
        """Those of one runtime, by specialist. Compare `ladder`: other models want another bar. Raises StoreError."""
        rows = self._reader.rows(
            "SELECT specialist, ladder, bar, report, made_at_s FROM calibrations WHERE runtime = ? ORDER BY specialist",
            (runtime,),
        )
        return [CalibrationRecord(*row) for row in rows]
