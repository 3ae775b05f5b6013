"""Trying again what may mend: no connection, a full queue, a model process that died."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from nonet.errors import RuntimeBusyError
from nonet.runtimes.ollama_errors import TransientError

T = TypeVar("T")

_PAUSE = wait_random_exponential(multiplier=0.2, max=8.0)
_PAUSE_WHEN_BUSY = wait_random_exponential(multiplier=1.0, max=8.0)


async def persistently(attempt: Callable[[], Awaitable[T]], retries: int) -> T:
    """Call `attempt`, and again up to `retries` times after a TransientError.

    The waits grow and are random, so that calls that failed together do not come back together.

    Raises:
        NonetError: the error inside the last TransientError; whatever else `attempt` raises, at once.
    """
    try:
        return await attempt()  # tenacity would cost a call that goes well more than all the rest of it
    except TransientError as error:
        if retries < 1:
            raise error.error from error
        failure: TransientError | None = error

    async def again() -> T:
        nonlocal failure
        if failure is not None:
            failed, failure = failure, None
            raise failed
        return await attempt()

    retrying = AsyncRetrying(
        stop=stop_after_attempt(retries + 1),
        wait=_pause,
        retry=retry_if_exception_type(TransientError),
        reraise=True,
    )
    try:
        return await retrying(again)
    except TransientError as error:
        raise error.error from error


def _pause(state: RetryCallState) -> float:
    """Seconds before the next try. A full queue means that a model is loading, which takes seconds."""
    failure = state.outcome.exception() if state.outcome else None
    busy = isinstance(failure, TransientError) and isinstance(failure.error, RuntimeBusyError)
    return (_PAUSE_WHEN_BUSY if busy else _PAUSE)(state)
