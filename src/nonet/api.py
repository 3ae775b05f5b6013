"""nonet from Python, for those who do not want to manage a session themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nonet.graphs.events import OnEvent
    from nonet.graphs.result import RunResult
    from nonet.specialists import Specialist


def run(
    task: str,
    *,
    documents: Sequence[str | PathLike[str]] = (),
    specialists: Sequence[Specialist] = (),
    on_event: OnEvent | None = None,
    **settings: Any,  # noqa: ANN401  any setting by its name; Settings validates it
) -> RunResult:
    """Run a task to its end and give its result.

    Args:
        task: what you want, in plain words.
        documents: files or folders; they are added to the collection, and this run reads only them.
        specialists: of yours, beside those that ship, those of nonet.toml and those of installed packs.
        on_event: called with each step (nonet.graphs.events), on the thread of the run.
        settings: as in nonet.toml: `db="notes.db"`, `runtime="embedded"`. They win over every other source.

    Raises:
        DocumentError: a collection that was given does not exist, and no document is named.
        NonetError: what happened, what was kept, and what to do next.
        RuntimeError: called from a running event loop; await `nonet.run_task` with a `nonet.Session` there.

    Examples:
        >>> import nonet
        >>> result = nonet.run("Write a Python function `double(x)`.", runtime="scripted", db=tmp / "example.db")
        >>> result.status
        'done'
        >>> [subtask.specialist for subtask in result.subtasks]
        ['code']
    """
    from nonet.graphs.run import run_task  # noqa: PLC0415  `import nonet` stays cheap
    from nonet.graphs.scope import check_collection, scope_of  # noqa: PLC0415
    from nonet.graphs.session import Session  # noqa: PLC0415
    from nonet.settings import load  # noqa: PLC0415

    async def work() -> RunResult:
        async with await Session.open(load(settings).settings, own=specialists) as session:
            if settings.get("collection") is not None and not documents:
                check_collection(session.store, scope_of(session.settings).collection)
            return await run_task(session, task, documents=[Path(path) for path in documents], on_event=on_event)

    return asyncio.run(work())
