"""All benchmarks that need neither a model nor a data set, one after the other; what `make bench` runs.

    python benchmarks/suite.py [--only job startup] [--against FILE] [--keep FOLDER] [--all]

Each prints its Markdown tables as it does alone. Every number in them is kept as a JSON line, with what machine it was
measured on and how busy that was, in a file of its own in --keep (benchmarks/results). At the end the ratios are put
beside those of an earlier file: --against, or the newest in the folder. Ratios to a floor of the same run can be
compared between machines; seconds cannot, and are shown only with --all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from suite_results import Figure, compared, figures_of, machine, newest, read_figures

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
MOST_SECONDS = 420.0
"""Of one benchmark."""
SUITE: dict[str, Sequence[str]] = {
    "counts": (),
    "job": ("--reps", "3", "--tasks", "60"),
    "workflows": ("--reps", "3"),
    "startup": ("--reps", "9"),
    "memory": ("--runtimes", "ollama"),
    "repl": ("--reps", "3", "--keys", "100"),
    "scheduler": ("--queued", "20000"),
    "queue_rates": ("--documents", "800", "--million", "40000"),
    "store_growth": (),
    "ingestion": ("--megabytes", "6"),
    "bench_sandbox": ("--runs", "10"),
    "oracle": ("--seeds", "2", "--accuracies", "0.3", "0.5", "0.8", "1.0"),
}


def run(name: str) -> tuple[str, float, bool]:
    """What one prints, shown as it comes, the seconds it took, and whether it came to its end."""
    command = [sys.executable, str(HERE / f"{name}.py"), *SUITE[name]]
    print(f"\n# {name}\n\n    python benchmarks/{' '.join([f'{name}.py', *SUITE[name]])}\n", flush=True)
    started = time.monotonic()
    lines: list[str] = []
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        alarm = threading.Timer(MOST_SECONDS, child.kill)
        alarm.start()
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        child.wait()
        alarm.cancel()
    seconds = time.monotonic() - started
    if child.returncode:
        why = f"was ended after {MOST_SECONDS:.0f} s" if seconds >= MOST_SECONDS else f"failed ({child.returncode})"
        print(f"\n{name} {why}")
    return "".join(lines), seconds, child.returncode == 0


def keep(folder: Path, name: str, text: str, begun: dict[str, object]) -> list[Figure]:
    """The numbers of one benchmark, added to the file of this run."""
    figures = figures_of(name, text)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{begun['file']}.jsonl").open("a", encoding="utf-8") as file:
        head = {key: value for key, value in begun.items() if key != "file"}
        file.write(json.dumps({"benchmark": name, "arguments": SUITE[name], "machine": head, "load": load()}) + "\n")
        for figure in figures:
            file.write(json.dumps(asdict(figure), ensure_ascii=False) + "\n")
    return figures


def load() -> float:
    """Processes that wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SUITE, default=list(SUITE), metavar="NAME")
    parser.add_argument("--against", type=Path, help="an earlier file of results")
    parser.add_argument("--keep", type=Path, default=RESULTS, help="the folder of results")
    parser.add_argument("--all", action="store_true", help="compare seconds and rates as well")
    options = parser.parse_args()
    earlier = options.against or newest(options.keep)
    now = datetime.now(UTC)
    begun: dict[str, object] = {**machine(), "at": now.isoformat(timespec="seconds"), "load_before": load()}
    print(" · ".join(f"{key} {value}" for key, value in begun.items() if not isinstance(value, dict)))
    begun["file"] = f"{now:%Y-%m-%d-%H%M%S}-{begun['commit']}"
    figures: list[Figure] = []
    failed, started = [], time.monotonic()
    for name in options.only:
        text, seconds, ended = run(name)
        if not ended:
            failed.append(name)
        print(f"\n({seconds:.0f} s, load {load()})", flush=True)
        figures += keep(options.keep, name, text, begun)
    print(
        f"\n# All of it\n\n{time.monotonic() - started:.0f} s; "
        f"{len(figures)} numbers kept in {options.keep}/{begun['file']}.jsonl"
    )
    if earlier is not None:
        print(f"\nBeside {earlier.name}:\n")
        print(compared(read_figures(earlier), figures, everything=options.all))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. What had ended is kept.")
