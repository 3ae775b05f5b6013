"""What a sandbox is given, what it allows, and what it gives back. Every tier implements this one protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; wall time is given with each run."""

    memory_bytes: int = 512 * _MIB
    """All its processes together; a single one of Python's is held to it by address space."""
    processes: int = 64
    """Processes and threads. A Python program can start threads only."""
    file_bytes: int = 16 * _MIB
    """Any one file."""
    work_bytes: int = 64 * _MIB
    """All files of its work folder together."""
    work_files: int = 4096
    open_files: int = 256
    cpu_seconds: float = 0.0
    """All its processes together; 0: a second more than the wall time."""
    kept_output_bytes: int = 64 << 10
    """Of each of stdout and stderr: the first and the last half of this are kept."""
    total_output_bytes: int = 16 * _MIB
    """A program that prints more than this is ended."""
    kept_files_bytes: int = 4 * _MIB
    """Of the files that it made, together; larger ones are left out and named in `files_left_out`."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to run: Python text, or a command of this machine. Relative paths are those of the work folder."""

    program: str = ""
    """Python source. It runs in the confined interpreter and can start neither processes nor other programs."""
    command: tuple[str, ...] = ()
    """A program of the system and its arguments; it may start others. Given instead of `program`."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Put into the work folder first, by relative path."""
    stdin: bytes = b""
    readable: tuple[str, ...] = ()
    """Folders of this machine, absolute, that a command may read besides the system's: a virtual environment."""
    limits: Limits | None = None
    """None: those of the sandbox."""


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """What a run gave."""

    exit_status: int
    """Negative: ended by that signal."""
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False
    allowed_seconds: float = 0.0
    """The wall time that it was given."""
    output_cut: bool = False
    """True: more was printed than is kept; the middle was dropped."""
    limits_hit: tuple[str, ...] = ()
    """Of "time", "cpu", "memory", "processes", "file", "disk", "files" and "output". What only the program saw (an
    allocation or a write that failed) is read from its own message, and missing where it hid that."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Plain files that it made or changed in its work folder, by relative path."""
    files_left_out: tuple[str, ...] = ()
    """Files that were too many or too large to be brought back."""


class Sandbox(Protocol):
    """Runs untrusted code with no network, no host files, and limits on all that it uses."""

    @property
    def tier(self) -> str:
        """Such as `bubblewrap` or `landlock`, as `nonet doctor` shows it."""
        ...

    @property
    def runs_commands(self) -> bool:
        """Whether a `Job` may have a command; else Python programs only."""
        ...

    async def run(self, job: Job | str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """Run a job, or a Python program, to its end or its limits; nothing of it is left when this returns.

        Raises:
            SandboxUnavailableError: it could not be confined, or its command could not be started; it did not run.
        """
        ...
