"""What other processes on this machine do with the same server, and what ours does, told through a folder of files.

It is not the database: two processes may use different databases and the same server. Each process has a file in the
server's folder and holds a lock on it while it lives; the kernel lets go of the lock when the process ends, however it
ends, so that what a dead process claimed is free at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: every process is on its own there
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Use:
    """What a process does with one model."""

    running: int = 0
    waiting: int = 0
    interactive: int = 0
    """Of both: calls that somebody waits for."""
    since_s: float = 0.0
    """When its turn began, by the clock that all processes since the boot share."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a process tells the others."""

    models: Mapping[str, Use] = field(default_factory=dict)
    want: str = ""
    """A model that it may load as soon as the others make room: it has waited for its limit, or somebody waits."""

    @property
    def running(self) -> int:
        return sum(use.running for use in self.models.values())

    @property
    def waiting(self) -> int:
        return sum(use.waiting for use in self.models.values())


class Neighbours:
    """The processes that use one server.

    Args:
        folder: of all servers; made where it is missing.
        server: its address.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder / hashlib.sha256(server.encode()).hexdigest()[:16]
        self._file: IO[str] | None = None
        self._told: Claim | None = None
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a folder that cannot be written: this process is on its own
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = self._open()

    def _open(self) -> IO[str]:
        file = (self._folder / self._name).open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    def tell(self, claim: Claim) -> None:
        """Tell the others, if it is news."""
        if self._file is None or claim == self._told:
            return
        self._told = claim
        with contextlib.suppress(OSError):
            self._file.seek(0)
            self._file.write(json.dumps(asdict(claim)))
            self._file.truncate()
            self._file.flush()

    def others(self) -> list[Claim]:
        """What the living others told last."""
        if self._file is None:
            return []
        try:
            names = os.listdir(self._folder)  # noqa: PTH208  a thousand times a minute: without objects
        except OSError:
            return []
        claims = [self._claim(self._folder / name) for name in names if name != self._name and name.endswith(_SUFFIX)]
        return [claim for claim in claims if claim is not None]

    def close(self) -> None:
        """Leave; what was claimed is free."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                (self._folder / self._name).unlink(missing_ok=True)
            file.close()

    def _claim(self, path: Path) -> Claim | None:
        try:
            with path.open(encoding="utf-8") as file:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)  # nobody holds it any more
                    return None
                told = json.loads(file.read() or "{}")
            return Claim({name: Use(**use) for name, use in told.get("models", {}).items()}, told.get("want", ""))
        except (OSError, ValueError, TypeError, AttributeError):
            return None  # it is being written, or is none of ours: the next look tells
