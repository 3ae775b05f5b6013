"""The tier for machines that refuse namespaces: Landlock, seccomp, rlimits, and a first process that reaps orphans."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from nonet.specialists.sandbox.layout import Layout
from nonet.specialists.sandbox.process import Launch, run_confined
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.sandbox.temporary import over_limit, temporary_folder
from nonet.specialists.sandbox.user import own_user


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
        with temporary_folder(user) as work:
            launch = Launch(layout, str(work), own_root=False, landlock_required=True, user=user)
            watched = replace(launch, watch=partial(over_limit, work, limits))
            return await run_confined(watched, job, limits, timeout_seconds)


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
