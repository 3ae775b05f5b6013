"""Who works: the specialist protocol, the three that ship, and the sandbox."""

from nonet.specialists.protocol import (
    Assignment,
    Citation,
    Desk,
    Evidence,
    ExecutionResult,
    Outcome,
    Passage,
    Sandbox,
    Searcher,
    Source,
    Specialist,
    Verdict,
)

__all__ = [
    "Assignment",
    "Citation",
    "Desk",
    "Evidence",
    "ExecutionResult",
    "Outcome",
    "Passage",
    "Sandbox",
    "Searcher",
    "Source",
    "Specialist",
    "Verdict",
]
