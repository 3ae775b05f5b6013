"""How much memory `nonet demo` takes above its models, on each runtime.

    NONET_CACHE_DIR=... python benchmarks/memory.py [--runtimes ollama embedded] [--timeline]

Runs the demo in a process of its own and reads /proc twenty times a second (Linux only). On the fake Ollama server the
models are in another process, so what is counted is nonet alone. On the embedded runtime the resident pages of the GGUF
files are taken off, page by page; nothing else is: the cache of attention keys and values, the compute buffers and all
of the embedding model count as above the models. What of this is llama.cpp's and not nonet's is told apart ("llama.cpp
alone"): a process that loads the same chat models, one after the other, with the same window, and calls each twice.
The sandbox's processes are not counted. The floor, in the same run, is a program that only imports LangGraph. Figures
are MB (10^6 bytes).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from nonet.runtimes.machine import compute_threads

HERE = Path(__file__).resolve().parent
NONET = str(Path(sys.executable).parent / "nonet")
LIMIT_MB = 150
INTERVAL_SECONDS = 0.05
WINDOW_TOKENS = 4096
MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)$")


@dataclass(frozen=True)
class Sample:
    """One look at a process; sizes in MB."""

    seconds: float
    rss: float
    anonymous: float
    files: float
    """Libraries and models."""
    models: float
    """Of which models: resident pages of GGUF files."""
    peak: float
    """The kernel's own high-water mark of `rss`."""

    @property
    def above(self) -> float:
        return self.rss - self.models


def look(pid: int, started: float) -> Sample | None:
    """None when the process is gone. All sizes but the peak are of one reading: a model may go between two."""
    try:
        smaps = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8")
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if peak is None:
        return None
    rss = anonymous = models = 0
    inside = False
    for line in smaps.splitlines():
        name, _, value = line.partition(":")
        if name == "Rss":
            rss += int(value.split()[0])
            models += int(value.split()[0]) if inside else 0
        elif name == "Anonymous":
            anonymous += int(value.split()[0])
        elif found := MAPPING.match(line):
            inside = found[1].endswith(".gguf")
    sizes = (rss, anonymous, rss - anonymous, models, int(peak[1]))
    return Sample(time.monotonic() - started, *(size * 1024 / 1e6 for size in sizes))


async def watch(environment: dict[str, str], command: list[str], folder: Path) -> list[Sample]:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    started = time.monotonic()
    reading = asyncio.create_task(process.communicate())
    samples: list[Sample] = []
    while not reading.done():
        sample = look(process.pid, started)
        if sample is not None:
            samples.append(sample)
        await asyncio.sleep(INTERVAL_SECONDS)
    if process.returncode not in (0, 1):  # 1: a subtask failed its check, which the memory does not mind
        sys.exit(f"{command[:2]} ended with {process.returncode}: {(await reading)[0].decode()}")
    return samples


async def measure(runtime: str) -> list[Sample]:
    with tempfile.TemporaryDirectory() as name:
        command = [NONET, "demo", "--runtime", runtime, "--quiet", "--db", str(Path(name) / "nonet.db")]
        if runtime != "ollama":
            return await watch({"NONET_MODELS": json.dumps(demo_ladders())}, command, Path(name))
        sys.path.insert(0, str(HERE.parent / "tests"))
        from fakes.ollama import FakeOllama

        async with FakeOllama(latency_ms=50) as fake:
            return await watch({"OLLAMA_HOST": fake.url}, command, Path(name))


def demo_ladders() -> dict[str, list[str]]:
    """What the demo has on a fresh machine: a larger rung that happens to be here would be climbed to."""
    from nonet.graphs.ladders import CODER, SMALLEST

    coder = [CODER[0]]
    return {"code": coder, "retrieval": coder, "general": coder, "summarization": [SMALLEST, *coder]}


def call_alone() -> None:
    """Load the demo's chat models one after the other and call each, and nothing else."""
    from nonet.graphs.ladders import CODER, SMALLEST
    from nonet.runtimes.catalog import path_of
    from nonet.runtimes.llama_server import LlamaServer, ServerOptions

    schema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    for name in (CODER[0], SMALLEST):
        server = LlamaServer(path_of(name), ServerOptions(WINDOW_TOKENS, slots=1, threads=compute_threads()))
        message = {"role": "user", "content": "Say in one sentence what a pump is. " * 50}
        body = {"messages": [message], "max_tokens": 32, "temperature": 0.0}
        server.chat(body, lambda _: False)
        form = {"type": "json_schema", "json_schema": {"schema": schema}}
        server.chat({**body, "response_format": form}, lambda _: False)
        server.close()


async def measure_alone() -> list[Sample]:
    with tempfile.TemporaryDirectory() as name:
        return await watch({}, [sys.executable, str(HERE / "memory.py"), "--alone"], Path(name))


def floor_mb() -> float:
    """What a program takes that only imports LangGraph."""
    program = "import langgraph.graph; print(open('/proc/self/status').read())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = re.search(r"^VmHWM:\s+(\d+) kB$", done.stdout, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtimes", nargs="+", default=["ollama", "embedded"], choices=["ollama", "embedded"])
    parser.add_argument("--timeline", action="store_true", help="also print when memory changed by 5 MB")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        call_alone()
        return
    rows, floor = [], floor_mb()
    for runtime in options.runtimes:
        samples = asyncio.run(measure(runtime))
        if options.timeline:
            timeline(samples)
        worst = max(samples, key=lambda sample: sample.above)
        alone = 0.0
        if runtime == "embedded":
            alone = max(sample.above for sample in asyncio.run(measure_alone()))
        rows.append(
            f"| {runtime} | {samples[-1].seconds:.0f} | {max(sample.peak for sample in samples):.0f} | {worst.rss:.0f} "
            f"| {worst.models:.0f} | {worst.anonymous:.0f} | {worst.files - worst.models:.0f} | {worst.above:.0f} "
            f"| {_judged(worst.above)} | {alone:.0f} | {worst.above - alone:.0f} | {_judged(worst.above - alone)} "
            f"| {(worst.above - alone) / floor:.2f} |"
        )
    print(
        f"| runtime | s | VmHWM | RSS | models' pages | anonymous | libraries | above weights | <= {LIMIT_MB} "
        f"| llama.cpp alone | above that | <= {LIMIT_MB} | x importing LangGraph |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|---|---:|")
    print(f"| import langgraph.graph | | {floor:.0f} | | | | | | | | | | 1.00 |")
    print("\n".join(rows))


def _judged(megabytes: float) -> str:
    return "yes" if megabytes <= LIMIT_MB else "NO"


def timeline(samples: list[Sample]) -> None:
    shown = 0.0
    for sample in samples:
        if abs(sample.above - shown) >= 5:
            shown = sample.above
            print(
                f"{sample.seconds:6.1f} s  above {sample.above:4.0f}  anonymous {sample.anonymous:4.0f}"
                f"  libraries {sample.files - sample.models:4.0f}  models {sample.models:4.0f}"
            )


if __name__ == "__main__":
    main()
