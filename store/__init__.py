"""What is remembered: one SQLite file. Importing this loads neither LangGraph nor SQLAlchemy."""

from nonet.store.artifacts import digest_of
from nonet.store.leases import LEASE_SECONDS
from nonet.store.records import (
    AttemptRecord,
    CallRecord,
    ChunkVector,
    DocumentRecord,
    Hit,
    Lease,
    ModelProfile,
    NewDocument,
    NoteRecord,
    PlanRecord,
    Pruned,
    RunRecord,
    RunSummary,
    SubtaskRecord,
)
from nonet.store.store import Store

__all__ = [
    "LEASE_SECONDS",
    "AttemptRecord",
    "CallRecord",
    "ChunkVector",
    "DocumentRecord",
    "Hit",
    "Lease",
    "ModelProfile",
    "NewDocument",
    "NoteRecord",
    "PlanRecord",
    "Pruned",
    "RunRecord",
    "RunSummary",
    "Store",
    "SubtaskRecord",
    "digest_of",
]
