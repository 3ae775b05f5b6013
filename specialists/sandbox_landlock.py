"""The tiers that need nothing installed: a Python child that confines itself by system calls."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from nonet.specialists.protocol import ExecutionResult
from nonet.specialists.sandbox_layout import Layout
from nonet.specialists.sandbox_process import Launch, Limits, run_confined

_DEEPEST = 40
"""Levels of folders; what lies deeper than a path can name could not be measured."""


@dataclass(frozen=True, slots=True)
class NamespaceSandbox:
    """Own user, mount, network, IPC and host-name namespaces; Landlock where the kernel has it; seccomp; rlimits.

    The program's root holds the Python installation, read-only, and a work folder in memory.
    """

    layout: Layout
    limits: Limits = field(default_factory=Limits)
    tier: str = "namespaces"

    async def run(self, program: str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`."""
        launch = Launch(self.layout, "/tmp", namespaces=True, landlock_required=False, whole_rules=True)  # noqa: S108
        return await run_confined(launch, program, self.limits, timeout_seconds)


@dataclass(frozen=True, slots=True)
class LandlockSandbox:
    """Landlock, seccomp and rlimits, for machines that refuse namespaces.

    What Landlock cannot hide remains: whether a path exists, its size, owner and times, and where a link points. The
    work folder is a real one, measured while the program runs and removed afterwards.
    """

    layout: Layout
    limits: Limits = field(default_factory=Limits)
    tier: str = "landlock"

    async def run(self, program: str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`."""
        with _work_folder() as work:
            launch = Launch(self.layout, str(work), namespaces=False, landlock_required=True, whole_rules=False)
            watched = replace(launch, watch=partial(_over_limit, work, self.limits))
            return await run_confined(watched, program, self.limits, timeout_seconds)


@contextlib.contextmanager
def _work_folder() -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix="nonet-sandbox-")).resolve()
    try:
        yield work
    finally:
        _remove(work)


def _over_limit(work: Path, limits: Limits) -> str:
    """Why the program must end because of what is in its folder, or nothing. Looks at `work_files` entries at most."""
    size = count = 0
    folders = [(str(work), 0)]
    while folders:
        folder, depth = folders.pop()
        if depth > _DEEPEST:
            return f"ended: its folders are too deep, over {_DEEPEST} levels"
        # It changes under our hands; what is gone no longer counts.
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                if count > limits.work_files:
                    return f"ended: it made more than {limits.work_files} files"
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, depth + 1))
                else:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
    return f"ended: its files take more than {limits.work_bytes >> 20} MiB" if size > limits.work_bytes else ""


def _remove(work: Path) -> None:
    """Remove a folder whose content was made to resist it: too deep for recursion or for a path, without rights."""
    unique = 0
    waiting = [work]
    while waiting:
        folder = waiting.pop()
        folder.chmod(0o700)
        for entry in list(os.scandir(folder)):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            # Up to the top, so that no path ever grows longer than two steps.
            unique += 1
            moved = work / f".{unique}.remove"
            Path(entry.path).chmod(0o700)
            Path(entry.path).rename(moved)
            waiting.append(moved)
        if folder != work:
            folder.rmdir()
    shutil.rmtree(work)
