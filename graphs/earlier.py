"""What an earlier process of the run tried in vain, so that no model is asked again where nothing is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nonet.specialists import Verdict

if TYPE_CHECKING:
    from nonet.graphs.context import RunContext
    from nonet.graphs.records import Work
    from nonet.store import AttemptRecord, RunRecord, Store


def failed_attempts(found: RunRecord, store: Store) -> Mapping[str, Sequence[AttemptRecord]]:
    """By subtask: the failed attempts of those that a stopped process left unfinished.

    Only of a run that was interrupted: who resumes a failed one wants it tried again. None from before the newest
    change of the collection, which is new evidence.
    """
    if found.status != "interrupted":
        return {}
    changed_at_s = max((document.added_at_s for document in store.documents.list()), default=0.0)
    ended = {record.id for record in found.subtasks}
    kept: dict[str, list[AttemptRecord]] = {}
    for attempt in found.attempts:
        counts = attempt.verdict == Verdict.FAILED and attempt.started_at_s > changed_at_s
        if counts and attempt.subtask not in ended:
            kept.setdefault(attempt.subtask, []).append(attempt)
    return kept


def of_subtask(context: RunContext, subtask: Work) -> Sequence[AttemptRecord]:
    """Those of one subtask; none where something that it reads was made anew."""
    same = all(context.records[name] is context.finished.get(name) for name in subtask.inputs)
    return context.tried.get(subtask.id, ()) if same else ()
