"""Who works: the specialist protocol, the three that ship, and the sandbox."""

from nonet.specialists.protocol import (
    Assignment,
    Citation,
    Desk,
    Evidence,
    Outcome,
    Passage,
    Searcher,
    Source,
    Specialist,
    Verdict,
)
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits, Sandbox
from nonet.specialists.summary_options import SummaryOptions
from nonet.specialists.workspace import Workspace

__all__ = [
    "Assignment",
    "Citation",
    "Desk",
    "Evidence",
    "ExecutionResult",
    "Job",
    "Limits",
    "Outcome",
    "Passage",
    "Sandbox",
    "Searcher",
    "Source",
    "Specialist",
    "SummaryOptions",
    "Verdict",
    "Workspace",
]
