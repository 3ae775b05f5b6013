"""Several pieces of work at once, of which all or none are wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TypeVar

Result = TypeVar("Result")


async def together(work: Sequence[Coroutine[None, None, Result]]) -> list[Result]:
    """All results in order; if one fails, the others are cancelled first."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
