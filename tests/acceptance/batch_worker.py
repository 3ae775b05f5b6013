"""A batch worker with trivial work, for tests that do things to its process, its disk and its clock.

    python batch_worker.py DB LOG '{"seconds": 0.01}'

Each document that is begun is a line in LOG. Prints a JSON object at its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict
from typing import Any

from nonet.errors import NonetError
from nonet.graphs.batch import Batch
from nonet.graphs.batch_events import BatchEvent, BatchNotice
from nonet.graphs.batch_work import Performed
from nonet.graphs.events import OnEvent
from nonet.store import Job, JobFault, JobOutput, Store


async def main() -> None:
    """Work until the queues are empty."""
    database, log = sys.argv[1:3]
    options: dict[str, Any] = {
        "seconds": 0.0,
        "places": 8,
        "beat_seconds": 10.0,
        "back_s": 0.0,
        **json.loads(sys.argv[3]),
    }
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    notes: list[str] = []
    begun = 0
    told = time.time

    async def perform(job: Job, _on_event: OnEvent) -> Performed:
        nonlocal begun
        begun += 1
        if options["back_s"] and begun == options["places"]:
            time.time = lambda: told() - options["back_s"]
        os.write(descriptor, f"{os.getpid()} {job.document}\n".encode())
        await asyncio.sleep(options["seconds"])
        if job.document.startswith("again") and not job.attempts:
            return Performed(None, JobFault("once", "the first try fails"))
        return Performed(JobOutput("unverified", f"result of {job.document}"))

    def listen(event: BatchEvent) -> None:
        if isinstance(event, BatchNotice):
            notes.append(event.kind)

    said: dict[str, Any] = {}
    try:
        with Store.open(database) as store:
            batch = Batch(
                store, perform, f"test:{os.getpid()}", places=options["places"], beat_seconds=options["beat_seconds"],
                on_event=listen,
            )  # fmt: skip
            said = asdict(await batch.run())
    except NonetError as error:
        said = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps({**said, "notes": notes}))


if __name__ == "__main__":
    asyncio.run(main())
