"""Says at the end of a test run which tiers of the sandbox were attacked, and which were not and why."""

from __future__ import annotations

import pytest

from nonet.specialists.sandbox.probe import probe_tiers


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("skipped")]
    if not any("test_sandbox_escapes" in report.nodeid for report in reports):
        return
    for report in probe_tiers():
        word = "run" if report.works else f"NOT run: {report.reason}"
        terminalreporter.write_line(f"sandbox tier {report.tier}: {word}")
