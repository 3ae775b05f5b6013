"""Batch workers that are born fast, for tests that kill them: all is imported once, and each life is a fork of that.

    python nursery.py DB URL PLACES

A line on standard input starts a life; the answer is its process number. "wait" in place of a line answers when the
newest life has ended, with its exit status.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from nonet.graphs import supervisor
from nonet.graphs.batch_open import batch_of
from nonet.graphs.run import run_task
from nonet.graphs.session import Session
from nonet.runtimes import ollama_client
from nonet.settings import Settings

PRELOADED = (supervisor, run_task, ollama_client)


async def life(database: str, url: str, places: int) -> None:
    """Work until the queues are empty."""
    settings = Settings(runtime="ollama", ollama_host=url, db=Path(database))
    async with await Session.open(settings) as session:
        await batch_of(session, places=places).run()


def main() -> None:
    """Serve."""
    database, url, places = sys.argv[1:]
    newest = 0
    for line in sys.stdin:
        if line.strip() == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(newest, 0)[1]), flush=True)
            continue
        newest = os.fork()
        if newest == 0:
            asyncio.run(life(database, url, int(places)))
            os._exit(0)
        print(newest, flush=True)


if __name__ == "__main__":
    main()
