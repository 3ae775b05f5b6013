"""Which documents a search is kept to, as SQL over `documents d`."""

from __future__ import annotations

import json
from typing import Any

from nonet.store.records import Filter

ALL = Filter()


def condition(where: Filter) -> tuple[str, dict[str, Any]]:
    """A condition and its values; "1" where everything is wanted."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    if where.documents is not None:
        parts.append("d.name IN (SELECT value FROM json_each(:names))")
        values["names"] = json.dumps(list(where.documents))
    if where.collection is not None:
        parts.append("d.collection = :collection")
        values["collection"] = where.collection
    if where.kind:
        parts.append("(instr(d.media_type, :kind) OR lower(d.name) LIKE '%.' || :kind)")
        values["kind"] = where.kind.lower().lstrip(".")
    if where.path:
        parts.append("(d.path GLOB :path OR d.name GLOB :path)")
        values["path"] = where.path
    if where.since is not None:
        parts.append("d.dated_at_s >= :since")
        values["since"] = where.since
    if where.until is not None:
        parts.append("d.dated_at_s < :until")
        values["until"] = where.until
    return " AND ".join(parts) or "1", values
