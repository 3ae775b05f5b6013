"""How soon the session takes keys, and how soon it shows them while a model works.

    python benchmarks/repl.py [--reps 9] [--keys 200] [--runtime scripted|embedded]

Start: from the start of the process until a key that was typed at once is on the screen, beside
`python -c "import prompt_toolkit, rich"`; the two take turns; medians, and the ratio. Keys: from writing a key to the
terminal to its first byte on the screen, at rest and while tasks run, in turns with a bare prompt_toolkit prompt that
does nothing else on the same busy machine: p50, p99 and the worst.
With --runtime embedded a real model is loaded and generates meanwhile (`nonet models pull` fetches it). How busy the
process with the model was is told from /proc (Linux only).
"""

from __future__ import annotations

import argparse
import itertools
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from fcntl import ioctl
from pathlib import Path

FLOOR = [sys.executable, "-c", "import prompt_toolkit, rich"]
NONET = [sys.executable, "-m", "nonet"]
BARE = [sys.executable, "-c", "import prompt_toolkit; prompt_toolkit.PromptSession().prompt('> ')"]
LETTERS = "жщыэюябгдйл"
"""Nothing else on the screen has them, so that one seen is the one typed."""
WHERE_IS_THE_CURSOR = b"\x1b[6n"
KEY_SECONDS = 0.03
LOADED_SECONDS = 120.0


class Terminal:
    """A pseudo-terminal with a program on it."""

    def __init__(self, command: list[str], folder: str, runtime: str) -> None:
        self.ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        attributes = termios.tcgetattr(theirs)
        attributes[3] &= ~termios.ECHO  # what is on the screen, nonet has written
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        env = {**os.environ, "NONET_DB": f"{folder}/nonet.db", "NONET_RUNTIME": runtime, "TERM": "xterm-256color"}
        env |= {"XDG_STATE_HOME": folder, "LANG": "C.UTF-8"}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self.last = b""

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def read(self, timeout: float) -> bytes:
        """What comes within the time, as soon as something does."""
        if not select.select([self.ours], [], [], timeout)[0]:
            return b""
        try:
            piece = os.read(self.ours, 65536)
        except OSError:  # nobody has the other side any more
            return b""
        self.last = (self.last + piece)[-20_000:]
        if WHERE_IS_THE_CURSOR in piece:
            os.write(self.ours, b"\x1b[1;1R")
        return piece

    def until(self, sign: str, timeout: float = 60.0) -> float:
        """Wait for something new on the screen; when it came."""
        deadline, got, wanted = time.perf_counter() + timeout, b"", sign.encode()
        while wanted not in got:
            assert time.perf_counter() < deadline, f"{sign!r} never came: {got[-2000:]!r}"
            got += self.read(0.5)
        return time.perf_counter()

    def idle(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        end = time.perf_counter() + 15
        while self.process.poll() is None and time.perf_counter() < end:
            self.read(0.1)
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


def start_seconds(folder: str) -> float:
    terminal = Terminal(NONET, folder, "scripted")
    terminal.type(LETTERS[0])
    ready = terminal.until(LETTERS[0])
    terminal.close()
    return ready - terminal.started


def latencies(terminals: list[Terminal], keys: int) -> list[list[float]]:
    """Seconds from key to echo on each, a key on one after a key on the other."""
    found: list[list[float]] = [[] for _ in terminals]
    for letter in itertools.islice(itertools.cycle(LETTERS), keys):
        for terminal, seconds in zip(terminals, found, strict=True):
            terminal.idle(KEY_SECONDS)
            typed = time.perf_counter()
            terminal.type(letter)
            seconds.append(terminal.until(letter) - typed)
            if letter == LETTERS[-1]:
                terminal.type("\x15")  # Ctrl-U, so that the line stays short and every letter is new
                terminal.idle(0.1)
    return found


def shown(name: str, found: list[float]) -> None:
    worst = found.index(max(found)) + 1
    found = sorted(found)
    p99 = found[min(len(found) - 1, int(0.99 * len(found)))]
    times = (statistics.median(found), p99, found[-1])
    print(f"| {name} | {len(found)} | {' | '.join(f'{each * 1e3:.1f}' for each in times)} | {worst} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=9)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--runtime", choices=["scripted", "embedded"], default="scripted")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start(options.reps, folder)
        keys(options.keys, options.runtime, folder)


def start(reps: int, folder: str) -> None:
    ours, floor = [], []
    for _ in range(reps + 1):
        begun = time.perf_counter()
        subprocess.run(FLOOR, check=True)
        floor.append(time.perf_counter() - begun)
        ours.append(start_seconds(folder))
    median, least = statistics.median(ours[1:]), statistics.median(floor[1:])  # the first one fills the caches
    print("| start | ms | x the imports |\n|---|---:|---:|")
    print(f'| python -c "import prompt_toolkit, rich" | {least * 1e3:.0f} | 1.00 |')
    print(f"| nonet, until a key is shown | {median * 1e3:.0f} | {median / least:.2f} |\n")


def task(runtime: str, folder: str, number: int) -> str:
    """No two are the same: an answer that was given before is not asked for again."""
    if runtime == "embedded":
        return f"Tell a long story about lighthouse keeper number {number} and her dog, in all detail."
    story = Path(folder) / f"story-{number}.txt"
    story.write_text(f"Lamp {number} burned all night and the dog slept beside it. " * 2000)
    return f"Summarize @{story} in 40 sentences."


def engine_seconds(terminal: Terminal) -> float:
    """CPU that the processes below the terminal's own have used; what ended is left out."""
    found, ticks = [terminal.process.pid], 0
    while found:
        pid = found.pop()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in map(int, children):
            found.append(child)
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def keys(count: int, runtime: str, folder: str) -> None:
    terminal, bare = Terminal(NONET, folder, runtime), Terminal(BARE, folder, runtime)
    terminal.until("session", LOADED_SECONDS)
    bare.until(">")
    terminal.idle(1.0)
    print("| keys | n | p50 ms | p99 ms | worst ms | which |\n|---|---:|---:|---:|---:|---:|")
    ours, floor = latencies([terminal, bare], count)
    shown("nonet at rest", ours)
    shown("bare prompt_toolkit", floor)
    for each in (terminal, bare):
        each.type("\x15")
    for number in range(max(3, count // 5)):
        terminal.type(f"{task(runtime, folder, number)}\r")
        terminal.idle(0.05)
    latencies([terminal, bare], 1)  # a key behind so many tasks typed within seconds is not one of a day's work
    started, spent = time.perf_counter(), engine_seconds(terminal)
    ours, floor = latencies([terminal, bare], count)
    shown(f"nonet while the {runtime} runtime loads and works", ours)
    shown("bare prompt_toolkit meanwhile", floor)
    busy = (engine_seconds(terminal) - spent) / (time.perf_counter() - started)
    print(f"\nMeanwhile nonet's other process used {busy:.0%} of a core.")
    terminal.close()
    bare.close()


if __name__ == "__main__":
    main()
