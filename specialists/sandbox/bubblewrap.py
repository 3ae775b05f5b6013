"""The tier that leaves the namespaces to bubblewrap: it may do so where others may not."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from nonet.specialists.sandbox.layout import Layout, work_folder
from nonet.specialists.sandbox.process import Launch, run_confined
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.sandbox.user import own_user


def find_bubblewrap() -> str | None:
    """The path of `bwrap`, or None."""
    return shutil.which("bwrap")


@dataclass(frozen=True, slots=True)
class BubblewrapSandbox:
    """bubblewrap 0.7 or later, not setuid (it then refuses `--size`); inside: Landlock if there, seccomp, rlimits."""

    layout: Layout
    """For Python programs; commands get the system's folders too."""
    command: str
    limits: Limits = field(default_factory=Limits)
    tier: str = "bubblewrap"
    runs_commands: bool = True

    async def run(self, job: Job | str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`."""
        job = Job(program=job) if isinstance(job, str) else job
        layout, limits = self.layout.for_job(job), job.limits or self.limits
        work, user = work_folder(layout), own_user()
        launch = Launch(layout, work, user=user, prefix=self._prefix(layout, work, limits, user))
        return await run_confined(launch, job, limits, timeout_seconds)

    def _prefix(self, layout: Layout, work: str, limits: Limits, user: int | None) -> tuple[str, ...]:
        words = [
            self.command,
            "--unshare-pid",
            "--unshare-net",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
        ]
        words += ["--as-pid-1", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"]
        # Process 1 needs no more than to become a user of its own; where we are not root, a user namespace does it.
        words += ["--cap-drop", "ALL"]
        words += ["--unshare-user"] if user is None else ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        # What it would make by itself on the way to a file is closed to all but root.
        for path in _folders_above((*layout.readable, *layout.devices)):
            words += ["--perms", "0755", "--dir", path]
        for path in layout.readable:
            words += ["--ro-bind", path, path]
        for path in layout.hidden:
            words += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
        for path, points_to in layout.links:
            words += ["--symlink", points_to, path]
        for path in layout.devices:
            words += ["--dev-bind", path, path]
        words += ["--perms", "0777", "--size", str(limits.work_bytes), "--tmpfs", work, "--remount-ro", "/"]
        return (*words, "--chdir", work, "--")


def _folders_above(paths: tuple[str, ...]) -> list[str]:
    return sorted({str(parent) for path in paths for parent in Path(path).parents} - {"/"})
