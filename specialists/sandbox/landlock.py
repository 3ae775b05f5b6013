"""The tier for machines that refuse namespaces: Landlock, seccomp, rlimits, and a first process that reaps orphans."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from nonet.specialists.sandbox.layout import Layout
from nonet.specialists.sandbox.process import Launch, run_confined
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.sandbox.user import own_user

_DEEPEST = 40
"""Levels of folders; what lies deeper than a path can name could not be measured."""


@dataclass(frozen=True, slots=True)
class LandlockSandbox:
    """Landlock, seccomp and rlimits, for machines that refuse namespaces.

    What Landlock cannot hide remains: whether a path exists, its size, owner and times, and where a link points. The
    work folder is a real one, measured while the program runs and removed afterwards.
    """

    layout: Layout
    limits: Limits = field(default_factory=Limits)
    tier: str = "landlock"

    runs_commands: bool = True

    async def run(self, job: Job | str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`."""
        job = Job(program=job) if isinstance(job, str) else job
        layout, limits = self.layout.for_job(job), job.limits or self.limits
        # Root's own Python may lie where no other user can read it; it then stays root, without any right of root's.
        user = own_user() if job.command or _anyone_can_read(layout) else None
        limits = replace(limits, processes=limits.processes + (_tasks_of_mine() if user is None else 0))
        with _work_folder(user) as work:
            launch = Launch(layout, str(work), own_root=False, landlock_required=True, user=user)
            watched = replace(launch, watch=partial(_over_limit, work, limits))
            return await run_confined(watched, job, limits, timeout_seconds)


@contextlib.contextmanager
def _work_folder(user: int | None) -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix="nonet-sandbox-")).resolve()
    try:
        if user is not None:
            os.chown(work, user, user)
        yield work
    finally:
        _remove(work)


def _anyone_can_read(layout: Layout) -> bool:
    folders = {folder for path in (layout.executable, *layout.rules) for folder in Path(path).parents}
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _tasks_of_mine() -> int:
    """Processes and threads of this user: RLIMIT_NPROC counts them all, and bounds the sum."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                count += sum(1 for _ in os.scandir(f"{entry.path}/task")) if entry.stat().st_uid == os.getuid() else 0
    return count


def _over_limit(work: Path, limits: Limits) -> tuple[str, str]:
    """Which limit its folder is over, and in words; two empty texts if none. Looks at `work_files` entries at most."""
    size = count = 0
    folders = [(str(work), 0)]
    while folders:
        folder, depth = folders.pop()
        if depth > _DEEPEST:
            return "files", f"ended: its folders are too deep, over {_DEEPEST} levels"
        # It changes under our hands; what is gone no longer counts.
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                if count > limits.work_files:
                    return "files", f"ended: it made more than {limits.work_files} files"
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, depth + 1))
                else:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
    if size > limits.work_bytes:
        return "disk", f"ended: its files take more than {limits.work_bytes >> 20} MiB"
    return "", ""


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
