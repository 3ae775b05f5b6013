"""One document of fifty megabytes, and one that is larger than is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIFE = """
import asyncio, json, resource, sys
from pathlib import Path
from nonet.graphs.batch_add import add_jobs
from nonet.graphs.batch_inputs import InputOptions, read_inputs
from nonet.graphs.batch_open import batch_of
from nonet.graphs.batch_work import Work
from nonet.graphs.session import Session
from nonet.settings import Settings

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

async def main():
    async with await Session.open(Settings(runtime="scripted", db=Path(sys.argv[1]))) as session:
        before, work = peak_mb(), Work("retrieval", "Who replaced the paddles of mill 91 according to {document}?")
        added = add_jobs(session.store, "q", read_inputs(sys.argv[2:], InputOptions()), work=work.to_json())
        report = await batch_of(session).run()
        found = session.store.queues.jobs("q")
        jobs = [[job.document, str(job.status), [each.message for each in job.errors]] for job in found]
    print(json.dumps({"grown_mb": peak_mb() - before, "done": report.done, "refused": added.refused, "jobs": jobs}))

asyncio.run(main())
"""


@pytest.mark.slow
def test_fifty_megabytes_pass_in_bounded_memory_and_more_is_not_read(tmp_path: Path) -> None:
    big, huge = tmp_path / "big.txt", tmp_path / "huge.txt"
    with big.open("w") as file:
        for number in range(460_000):
            file.write(f"The wheel of mill {number:07} turned all winter. ")
            file.write("The miller Anna Berg replaced two oak paddles on 3 March.\n")
    with huge.open("wb") as file:
        file.truncate(5_000_000_000)  # sparse: it takes no room, but reading it would
    command = [sys.executable, "-c", LIFE, str(tmp_path / "nonet.db"), str(big), str(huge)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)
    assert (said["done"], said["refused"]) == (1, 1)
    [[_, done, _], [_, dead, [reason]]] = said["jobs"]
    assert (done, dead) == ("done", "dead")
    assert "5,000,000,000 bytes, and this queue reads at most 50,000,000" in reason
    print(f"memory grew by {said['grown_mb']:.0f} MB for {big.stat().st_size / 1e6:.0f} MB of text")
    assert said["grown_mb"] < 6 * big.stat().st_size / 1e6
