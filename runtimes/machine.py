"""What this machine offers a model: cores and memory, as far as this process may use them."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

_CGROUP: Final = Path("/sys/fs/cgroup")
_CPUS: Final = Path("/sys/devices/system/cpu")
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Both of glibc's malloc.h."""
_LARGE_BLOCK_BYTES: Final = 1 << 20


def compute_threads() -> int:
    """Threads to compute a model with: one less than the physical cores this process may use, at least 1.

    llama.cpp's threads wait busily for each other at every layer. With one core taken by something else, two threads on
    two cores generate 5 tokens a second, one thread 19 (33 and 19 on idle cores; Qwen2.5-Coder-0.5B). So a core is left
    to the rest of the machine: the sandbox, the store, the embedder.
    """
    return max(1, _cores() - 1)


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or its container's limit where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read(_CGROUP / "memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def give_back_memory() -> None:
    """Return what was freed to the machine; about 5 ms. Does nothing where the C library is not glibc.

    glibc keeps freed blocks for later; after unloading a model of 150,000 words that is 60 MB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def keep_memory_together() -> None:
    """Take freed blocks again before new ones, and give large ones back at once. Does nothing where there is no glibc.

    glibc gives each thread its own part of the memory, and what one part has freed no other uses: loading, embedding
    and calling by turns left 28 MB of holes. Call it before threads that compute are started.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    if option is not None:
        option(_M_ARENA_MAX, 1)
        option(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def _cores() -> int:
    # macOS has no affinity; Apple's cores have no hyper-threads
    logical = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    physical = {_read(_CPUS / f"cpu{number}/topology/thread_siblings_list") or str(number) for number in logical}
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        return min(len(physical), max(1, int(quota) // int(period)))
    return len(physical)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
