"""How long `nonet --help` and `--version` take, beside importing the library that makes the command line.

    python benchmarks/startup.py [--reps 15]

The commands take turns, so that a busy moment of the machine meets them all; prints medians and the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

NONET = str(Path(sys.executable).parent / "nonet")
COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "nonet --version": [NONET, "--version"],
    "nonet --help": [NONET, "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=15)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(options.reps + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(each[1:]) for name, each in seconds.items()}  # the first one fills the caches
    floor = medians["import typer"]
    print("| command | ms | x import typer |")
    print("|---|---:|---:|")
    for name, median in medians.items():
        print(f"| {name} | {median * 1e3:.0f} | {median / floor:.2f} |")


if __name__ == "__main__":
    main()
