"""The tier that leaves the namespaces to bubblewrap: it may do so where others may not, and adds a pid namespace."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

from nonet.specialists.protocol import ExecutionResult
from nonet.specialists.sandbox_layout import Layout
from nonet.specialists.sandbox_process import Launch, Limits, run_confined

_WORK = "/tmp"  # noqa: S108 - inside, a folder in memory


def find_bubblewrap() -> str | None:
    """The path of `bwrap`, or None."""
    return shutil.which("bwrap")


@dataclass(frozen=True, slots=True)
class BubblewrapSandbox:
    """bubblewrap 0.7 or later, not setuid (it then refuses `--size`); inside: Landlock if there, seccomp, rlimits."""

    layout: Layout
    command: str
    limits: Limits = field(default_factory=Limits)
    tier: str = "bubblewrap"

    async def run(self, program: str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`."""
        launch = Launch(
            self.layout,
            _WORK,
            namespaces=False,
            landlock_required=False,
            whole_rules=True,
            prefix=self._prefix(),
            direct=False,
        )
        return await run_confined(launch, program, self.limits, timeout_seconds)

    def _prefix(self) -> tuple[str, ...]:
        layout = self.layout
        words = [self.command, "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"]
        words += ["--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox"]
        for path in (*layout.readable, layout.executable):
            words += ["--ro-bind", path, path]
        for path in layout.hidden:
            words += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
        for path, points_to in layout.links:
            words += ["--symlink", points_to, path]
        for path in layout.devices:
            words += ["--dev-bind", path, path]
        words += ["--size", str(self.limits.work_bytes), "--tmpfs", _WORK, "--remount-ro", "/", "--chdir", _WORK]
        return (*words, "--")
