"""Results of a queue as JSON lines, CSV, Parquet, or a Markdown file a document; one job at a time in memory."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from nonet.errors import NonetError, ResourceError, UsageError
from nonet.terminal import output_faults, write_out
from nonet.text import clean, to_json

if TYPE_CHECKING:
    from nonet.store import JobRecord

COLUMNS = ("job", "document", "status", "verdict", "output", "attempts", "error")
_ROWS_A_GROUP = 1000
_NAME_CHARACTERS = 120
_UNFIT = re.compile(r"[^\w.-]+")


def row_of(job: JobRecord) -> dict[str, Any]:
    """A line of the export."""
    return {
        "job": job.seq,
        "document": job.document,
        "status": str(job.status),
        "verdict": job.verdict or None,
        "output": job.output,
        "attempts": job.attempts,
        "error": job.errors[-1].message if job.errors and job.status != "done" else None,
    }


def export(jobs: Iterable[JobRecord], form: str, output: Path | None) -> int:
    """Write the jobs; how many.

    Args:
        form: "jsonl", "csv", "parquet" or "md".
        output: a file, or for "md" a folder; None for standard output. A file is there whole or not at all.

    Raises:
        UsageError: this form needs a place to go to.
        ResourceError: pyarrow is not installed.
        NonetError: the place cannot be written.
    """
    if form == "md":
        if output is None:
            raise UsageError("A file a document needs a folder.", next_step="Name one with --output FOLDER.")
        return _markdown(jobs, output)
    if form == "parquet":
        if output is None:
            raise UsageError("Parquet needs a file.", next_step="Name one with --output FILE.")
        return _parquet(jobs, output)
    write = _jsonl if form == "jsonl" else _csv
    if output is None:
        return write(jobs, _to_stdout)
    with _whole(output, "w") as file:
        return write(jobs, file.write)


def _to_stdout(text: str) -> None:
    with output_faults():
        write_out(text)


def _jsonl(jobs: Iterable[JobRecord], write: Callable[[str], Any]) -> int:
    total = 0
    for job in jobs:
        write(to_json(row_of(job)) + "\n")
        total += 1
    return total


def _csv(jobs: Iterable[JobRecord], write: Callable[[str], Any]) -> int:
    """As RFC 4180 has it; texts are cleaned, and one that a spreadsheet would take for a formula gets an apostrophe."""
    total = 0
    line = io.StringIO()
    writer = csv.DictWriter(line, COLUMNS)
    writer.writeheader()
    for job in jobs:
        writer.writerow({key: _cell(value) for key, value in row_of(job).items()})
        write(line.getvalue())
        line.seek(0)
        line.truncate()
        total += 1
    write(line.getvalue())
    return total


def _cell(value: Any) -> Any:  # noqa: ANN401  a cell
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text[:1] in "=+-@\t" and text else text  # CWE-1236


def _parquet(jobs: Iterable[JobRecord], output: Path) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415  an extra, and heavy
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise ResourceError(
            "Parquet needs pyarrow, which is not installed.",
            next_step="Run: pip install 'nonet[parquet]'; or export as jsonl or csv.",
        ) from error
    text, number = pa.string(), pa.int64()
    kinds = {"job": number, "attempts": number}
    schema = pa.schema([(name, kinds.get(name, text)) for name in COLUMNS])
    total = 0
    with _whole(output, "wb") as file, parquet.ParquetWriter(file, schema) as writer:
        for rows in _batched((row_of(job) for job in jobs), _ROWS_A_GROUP):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            total += len(rows)
    return total


def _batched(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Lists of up to `size` rows."""
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _markdown(jobs: Iterable[JobRecord], folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    total = 0
    for job in jobs:
        row = row_of(job)
        name = _UNFIT.sub("-", clean(job.document)).strip("-.")[-_NAME_CHARACTERS:] or "document"
        head = "\n".join(f"{key}: {to_json(row[key])}" for key in COLUMNS if key != "output")
        with _whole(folder / f"{job.seq:06}-{name}.md", "w") as file:
            file.write(f"---\n{head}\n---\n\n{row['output']}\n")
        total += 1
    return total


@contextmanager
def _whole(path: Path, mode: str) -> Iterator[IO[Any]]:
    """A file that takes the place of `path` when all of it is written."""
    encoding, newline = ("utf-8", "") if mode == "w" else (None, None)
    try:
        with NamedTemporaryFile(mode, encoding=encoding, newline=newline, dir=path.parent, delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> NonetError:
    return NonetError(f"{path} cannot be written: {error.strerror or error}.", next_step="Name another with --output.")
