"""What the planner may know of documents: those that are attached to a run, and those that it could search."""

from __future__ import annotations

from collections.abc import Sequence

from nonet.agents.documents import DocumentInfo
from nonet.errors import DocumentError
from nonet.graphs.mentions import info_of, is_reference
from nonet.store import Filter, Store


def attached_of(store: Store, names: Sequence[str]) -> list[DocumentInfo]:
    """What is attached to a run, in the order of `names`. Raises DocumentError for what is gone."""
    kept = [name for name in names if not is_reference(name)]
    by_name = {head[0]: DocumentInfo(*head) for head in (store.documents.heads(kept) if kept else ())}
    by_name.update({name: info_of(store, name) for name in names if is_reference(name)})
    missing = [name for name in names if name not in by_name]
    if missing:
        raise DocumentError(
            f"The run reads {', '.join(missing)}, which the collection no longer holds.",
            next_step="Add it again with `nonet docs add`, then resume.",
        )
    return [by_name[name] for name in names]


def collection_of(store: Store, attached: Sequence[DocumentInfo], scope: Filter) -> list[DocumentInfo]:
    """What a run could search, by name: what is in its scope, but of what is there for a job only the attached."""
    found = {head[0]: DocumentInfo(*head) for head in store.documents.heads(where=scope)}
    found.update({info.name: info for info in attached if not is_reference(info.name)})
    return [found[name] for name in sorted(found)]
