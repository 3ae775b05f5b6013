"""The waiting lines of the scheduler: calls of one model and one priority, those that share a prefix together."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

GROUP_CALLS = 64
"""Calls of one prefix that go in one row; more of them queue again, so that none is overtaken for ever."""


class Priority(IntEnum):
    """Who goes first. A lower number goes ahead."""

    INTERACTIVE = 0
    """Somebody waits for it: `run`, `ask`, the REPL."""
    BATCH = 1
    """Queues of documents."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One call that wants a slot."""

    model: str
    priority: Priority
    arrived_s: float
    prefix: int = 0
    """Calls with the same one share the beginning of their prompt; 0: it shares nothing."""
    payload: Any = None
    """The caller's own."""
    host: str = ""
    """Where it runs, once it was granted."""
    cancelled: bool = False
    waits: bool = False


@dataclass(slots=True, eq=False)
class _Group:
    prefix: int
    tickets: deque[Ticket] = field(default_factory=deque)
    taken: int = 0


class Line:
    """First come, first served, but for prefixes: when one's turn comes, all calls that share it follow.

    Every operation is O(1), amortised: a cancelled ticket stays where it is and is skipped.
    """

    __slots__ = ("_groups", "_open", "model", "priority", "size", "unserved_since_s")

    def __init__(self, model: str, priority: Priority) -> None:
        self.model = model
        self.priority = priority
        self.size = 0
        self.unserved_since_s = 0.0
        """When it was last served, or began to wait, whichever is later."""
        self._groups: deque[_Group] = deque()
        self._open: dict[int, _Group] = {}

    def push(self, ticket: Ticket, now_s: float) -> None:
        """At the end of its prefix's group, or of the line."""
        if not self.size:
            self.unserved_since_s = now_s
        group = self._open.get(ticket.prefix) if ticket.prefix else None
        if group is None or group.taken >= GROUP_CALLS:
            group = _Group(ticket.prefix)
            self._groups.append(group)
            if ticket.prefix:
                self._open[ticket.prefix] = group
        group.taken += 1
        group.tickets.append(ticket)
        ticket.waits = True
        self.size += 1

    def push_front(self, ticket: Ticket, now_s: float) -> None:
        """Before all others: it had its turn, and its host failed."""
        if not self.size:
            self.unserved_since_s = now_s
        self._groups.appendleft(_Group(ticket.prefix, deque((ticket,)), GROUP_CALLS))
        ticket.waits = True
        self.size += 1

    def pop(self, now_s: float) -> Ticket:
        """The next. The line must not be empty."""
        ticket = self.head()
        self._groups[0].tickets.popleft()
        self.size -= 1
        self.unserved_since_s = now_s
        ticket.waits = False
        return ticket

    def head(self) -> Ticket:
        """The next, left where it is. The line must not be empty."""
        while True:
            group = self._groups[0]
            while group.tickets and group.tickets[0].cancelled:
                group.tickets.popleft()
            if group.tickets:
                return group.tickets[0]
            self._groups.popleft()
            if self._open.get(group.prefix) is group:
                del self._open[group.prefix]

    def cancel(self, ticket: Ticket) -> None:
        """Take a waiting ticket out."""
        ticket.cancelled = True
        ticket.waits = False
        self.size -= 1
        if not self.size:
            self._groups.clear()
            self._open.clear()
