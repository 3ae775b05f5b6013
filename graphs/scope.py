"""Which of the documents a run searches where none is named with it: by the settings, and kept with the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nonet.errors import DocumentError
from nonet.moments import moment
from nonet.settings import ALL_COLLECTIONS
from nonet.store import Filter

if TYPE_CHECKING:
    from nonet.settings import Settings
    from nonet.store import RunRecord, Store

_KEPT = "where"
"""Of a run's options."""


def scope_of(settings: Settings) -> Filter:
    """What the settings keep searches to."""
    return Filter(
        collection=None if settings.collection == ALL_COLLECTIONS else settings.collection,
        kind=settings.only_type or "",
        path=settings.only_path or "",
        since=moment(settings.only_since).timestamp() if settings.only_since else None,
        until=moment(settings.only_until).timestamp() if settings.only_until else None,
    )


def kept_scope(scope: Filter) -> dict[str, Any]:
    """As a run's options keep it; nothing where all is searched."""
    given = {key: value for key, value in asdict(scope).items() if value != getattr(Filter(), key)}
    return {_KEPT: given} if given else {}


def scope_of_run(run: RunRecord) -> Filter:
    """What a run that is kept was begun with; one of the time before this was kept searches all."""
    kept = run.options.get(_KEPT)
    return Filter(**kept) if isinstance(kept, Mapping) else Filter()


def nothing_to_search(store: Store, scope: Filter) -> str:
    """Why a search in this scope can find nothing, where its collection has no document yet; else ""."""
    try:
        check_collection(store, scope.collection)
    except DocumentError as error:
        return f"{error.message} {error.next_step}"
    return ""


def check_collection(store: Store, collection: str | None) -> None:
    """Raise DocumentError where no document is of a collection that was named; the error names those there are."""
    if collection is None:
        return
    known = store.documents.collections()
    if collection in known:
        return
    named = ", ".join(_shown(name) for name in known if name)
    there_are = f"There {'are' if ',' in named else 'is'}: {named}." if named else "No document is of a named one."
    raise DocumentError(
        f"There is no collection {_shown(collection)}." if collection else "No document is without a collection.",
        next_step=f"{there_are} `nonet docs add PATH --collection NAME` makes one.",
    )


def _shown(name: str) -> str:
    return " ".join(name.split())
