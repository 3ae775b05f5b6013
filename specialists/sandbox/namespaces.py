"""The tier that makes its own namespaces by system calls, where bubblewrap is not installed."""

from __future__ import annotations

from dataclasses import dataclass, field

from nonet.specialists.sandbox.layout import Layout, work_folder
from nonet.specialists.sandbox.process import Launch, run_confined
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.sandbox.user import own_user


@dataclass(frozen=True, slots=True)
class NamespaceSandbox:
    """Own mount, pid, network, IPC and host-name namespaces, and a user's where we are not root; Landlock if there.

    The root holds what `layout` names, read-only, and a work folder in memory.
    """

    layout: Layout
    limits: Limits = field(default_factory=Limits)
    tier: str = "namespaces"
    runs_commands: bool = True

    async def run(self, job: Job | str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`."""
        job = Job(program=job) if isinstance(job, str) else job
        layout = self.layout.for_job(job)
        launch = Launch(layout, work_folder(layout), namespaces=True, user=own_user())
        return await run_confined(launch, job, job.limits or self.limits, timeout_seconds)
