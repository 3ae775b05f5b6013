"""Running something of a workflow where nobody has opened a session, or no event loop may be blocked."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from nonet.errors import UsageError

if TYPE_CHECKING:
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.specialists import Specialist

T = TypeVar("T")
U = TypeVar("U")


@asynccontextmanager
async def opened(
    workflow: Workflow[Any], session: Session | None, settings: Mapping[str, Any]
) -> AsyncIterator[Session]:
    """The session that is given, or one of these settings, for the time of the block.

    Raises:
        UsageError: settings were given beside a session, which has its own.
    """
    from nonet.graphs.session import Session  # noqa: PLC0415
    from nonet.settings import load  # noqa: PLC0415

    if session is not None:
        if settings:
            raise UsageError(f"The session that was given has its own settings; {', '.join(settings)} would not count.")
        yield session
        return
    staff = tuple(own_specialists(workflow).values())
    async with await Session.open(load(settings).settings, own=staff) as own:
        yield own


def own_specialists(workflow: Workflow[Any]) -> dict[str, Specialist]:
    """Those that its steps were given as objects, by name."""
    found: dict[str, Specialist] = {}
    for step in workflow.steps:
        if step.specialist is not None:
            found[step.specialist.name] = step.specialist
        if step.workflow is not None:
            found.update(own_specialists(step.workflow))
    return found


def finish(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it to its end; where an event loop runs already (a notebook, a web server), in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="nonet-workflow") as pool:
        return pool.submit(context.run, asyncio.run, work()).result()


async def each(work: Callable[[U], Awaitable[T]], many: Iterable[U], at_once: int) -> list[T]:
    """Do the work for each, `at_once` at a time; the results in order. The first error stops the rest."""
    left = enumerate(many)
    results: dict[int, T] = {}

    async def hand() -> None:
        for index, one in left:
            results[index] = await work(one)

    hands = [asyncio.ensure_future(hand()) for _ in range(max(1, at_once))]
    try:
        await asyncio.gather(*hands)
    finally:
        for task in hands:
            task.cancel()
        await asyncio.gather(*hands, return_exceptions=True)
    return [results[index] for index in sorted(results)]
