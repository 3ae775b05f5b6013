"""A seccomp filter in classic BPF, made of the tables in `calls`.

What is not in the tables fails with EPERM; calls newer than the tables fail with ENOSYS, so that libc falls back to the
older ones. Filter format: kernel documentation, userspace-api/seccomp_filter; struct sock_filter in linux/filter.h.
Both machines are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from errno import ENOSYS, EPERM
from typing import Literal

from nonet.specialists.sandbox.calls import (
    ALLOWED,
    CHECKED,
    CHECKED_COMMANDS,
    COMMANDS,
    MODES,
    OWN_PID,
    SIGNALS,
    Alternatives,
    Numbers,
)

Reach = Literal["own", "scoped", "shared"]
"""Of a command: it has a pid namespace or a user of its own; its signals are scoped by Landlock; neither."""

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""platform.machine() -> (column in the tables, AUDIT_ARCH_* of linux/audit.h)."""

_LOAD, _AND, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_FIRST_UNIFIED = 403
"""From here on a call has one number on every machine; older ones are all in the tables or refused."""

_Instruction = tuple[int, int, int, int]
"""code, jt, jf, k of struct sock_filter."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A program for SECCOMP_SET_MODE_FILTER."""

    code: bytes
    """An array of struct sock_filter, eight bytes each."""
    pid_slots: tuple[int, ...]
    """Byte offsets where the confined process writes its own id (a 32-bit little-endian word) before loading."""


def supported(machine: str) -> bool:
    """Whether there is a filter for what platform.machine() says."""
    return machine in _MACHINES


def build_filter(machine: str, command: Reach | None = None) -> Filter:
    """The filter for `machine`, for Python programs or for commands.

    Raises:
        KeyError: a machine that `supported` denies.
    """
    column, audit_arch = _MACHINES[machine]
    allowed, checked = _tables(command)
    program: list[_Instruction] = [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 1, 0, audit_arch),
        # A 32-bit call would mean other things by the same numbers.
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, 0),
    ]
    for numbers in allowed.values():
        number = numbers[column]
        if number is not None:
            program += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for first, second, alternatives in checked.values():
        number = (first, second)[column]
        if number is not None:
            block = _check_block(alternatives)
            program += [(_JUMP_IF_EQUAL, 0, len(block), number), *block]
    program += [
        (_JUMP_IF_AT_LEAST, 0, 1, _FIRST_UNIFIED),
        (_RETURN, 0, 0, _ERRNO | ENOSYS),
        (_RETURN, 0, 0, _ERRNO | EPERM),
    ]
    slots = tuple(8 * index + 4 for index, (*_, k) in enumerate(program) if k == OWN_PID)
    return Filter(b"".join(struct.pack("<HBBI", *step[:3], max(step[3], 0)) for step in program), slots)


def _tables(command: Reach | None) -> tuple[dict[str, Numbers], dict[str, tuple[int | None, int | None, Alternatives]]]:
    allowed, checked = dict(ALLOWED), dict(CHECKED)
    if command is None:
        return allowed, checked
    allowed |= COMMANDS
    checked |= CHECKED_COMMANDS
    if command != "shared":
        allowed |= SIGNALS
    if command == "own":
        checked |= MODES
    return allowed, checked


def _check_block(alternatives: Alternatives) -> list[_Instruction]:
    """Allow when all conditions of one alternative hold, else EPERM; leaves the filter either way."""
    block: list[_Instruction] = []
    for conditions in alternatives:
        steps: list[_Instruction] = []
        for condition in reversed(conditions):
            # A condition that fails jumps over the rest of its alternative and the ALLOW at its end.
            jump = (_JUMP_IF_EQUAL, 0, len(steps) + 1, condition.value)
            masking = [(_AND, 0, 0, condition.mask)] if condition.mask != 0xFFFFFFFF else []  # noqa: PLR2004
            steps = [(_LOAD, 0, 0, 16 + 8 * condition.argument + 4 * condition.high), *masking, jump, *steps]
        block += [*steps, (_RETURN, 0, 0, _ALLOW)]
    return [*block, (_RETURN, 0, 0, _ERRNO | EPERM)]
