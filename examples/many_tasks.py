"""Several tasks at once in one session, which share its models: python examples/many_tasks.py."""

from __future__ import annotations

import asyncio
from pathlib import Path

import nonet
from nonet.graphs.events import Event, SubtaskFinished
from nonet.settings import load

DOCUMENTS = sorted((Path(nonet.__file__).parent / "data" / "documents").glob("*.md"))


def show(event: Event) -> None:
    """Events arrive while the run works; this one shows when a part is done."""
    if isinstance(event, SubtaskFinished):
        print(f"  {event.subtask}: {event.verdict} after {event.seconds:.1f} s")


async def main() -> None:
    async with await nonet.Session.open(load().settings) as session:
        runs = [
            nonet.run_task(session, f"Summarize {path.name} in one sentence.", documents=[path], on_event=show)
            for path in DOCUMENTS
        ]
        for path, result in zip(DOCUMENTS, await asyncio.gather(*runs), strict=True):
            print(f"{path.name} ({result.verdict}): {result.answer}")


if __name__ == "__main__":
    asyncio.run(main())
