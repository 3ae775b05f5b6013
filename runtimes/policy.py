"""Who runs next, and where: decisions as a function of state and time.

No clock, no event loop and no I/O in here: the live scheduler (scheduler.py) and the simulator of the benchmarks drive
the same code. A decision looks at hosts and at lines (a model and a priority), never at the calls in them, so its
cost does not grow with the number of calls that wait.

The rules, in this order, for a host with a free slot:

1. A line that has been unserved for its waiting limit is served next, whatever is loaded.
2. Interactive before batch. A line whose model is loaded goes before one whose model is not: A B C A B C runs as
   A A B B C C. Where a batch call holds the memory that an interactive one needs, the host drains: it takes no more
   calls of that model, and loads the other when the last has ended.
3. Among loaded models: the one whose line is the most complete (least is still to come of it), then the oldest call.
4. Among models that would have to be loaded: the most work a second of loading, weighted by how complete the line is,
   so that a batch goes through its stages in passes. A model that is loaded on another host is loaded here as well
   only where its line would take longer than the load. Two hosts that have the same model part ways when another
   model's calls wait that neither has: one leaves the rest to the other, if that takes it longer than two loads and the
   new model has work for as long.
5. What is pushed out is idle, not pinned, and least needed; a model between two calls of the same subtask is given a
   moment (at most what loading it again would cost) before it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nonet.runtimes.board import Board
from nonet.runtimes.hosts import Drain, Host, Loaded
from nonet.runtimes.lines import Line, Priority, Ticket

_A_PAIR = 2
BATCH_SHARE = 8
"""So many interactive calls in a row, and one of the batch goes, if its model is loaded."""


@dataclass(slots=True)
class PolicyCounts:
    """What was decided so far."""

    calls: int = 0
    loads: int = 0
    """Calls that found their model not loaded."""
    swaps: int = 0
    """Of which: calls that pushed another model out."""
    swaps_avoided: int = 0
    """Calls served out of turn because their model was loaded."""
    most_waiting: int = 0


@dataclass(slots=True, frozen=True)
class Grant:
    """A ticket may run now, on this host."""

    ticket: Ticket
    host: Host
    loads: bool
    """Its model is not loaded there yet."""
    pushed_out: str | None
    """What makes room for it."""
    ready: bool
    """Its model has answered there before, since it was loaded."""
    avoided: bool = False
    """It goes out of turn because its model is loaded."""


@dataclass(slots=True)
class Policy:
    """Takes calls and says which may start."""

    board: Board
    counts: PolicyCounts = field(default_factory=PolicyCounts)
    waiting: int = 0
    _in_a_row: int = 0
    """Interactive calls since the last of the batch."""

    def submit(self, ticket: Ticket, now_s: float) -> None:
        """A call wants a slot."""
        self.board.line_of(ticket).push(ticket, now_s)
        self._count_waiting()

    def resubmit(self, ticket: Ticket, now_s: float) -> None:
        """A call whose host failed wants another slot, before those that came after it."""
        ticket.host = ""
        self.board.line_of(ticket).push_front(ticket, now_s)
        self._count_waiting()

    def cancel(self, ticket: Ticket) -> None:
        """A waiting call is not wanted any more."""
        if ticket.waits:
            self.board.line_of(ticket).cancel(ticket)
            self.waiting -= 1

    def finish(self, ticket: Ticket, now_s: float) -> None:
        """A granted call has ended, well or not."""
        host = self.board.hosts.get(ticket.host)
        if host is not None:
            host.finish(ticket.model, ticket.priority, now_s)

    def decide(self, now_s: float) -> list[Grant]:
        """Everything that may start now."""
        grants: list[Grant] = []
        while self.waiting:
            grant = next((grant for host in self.board.free_hosts() if (grant := self._pick(host, now_s))), None)
            if grant is None:
                break
            grants.append(grant)
        return grants

    def _count_waiting(self) -> None:
        self.waiting += 1
        self.counts.most_waiting = max(self.counts.most_waiting, self.waiting)

    def _pick(self, host: Host, now_s: float) -> Grant | None:
        lines = [line for line in self.board.lines.values() if line.size and host.has(line.model)]
        if not lines:
            return None
        _end_drain(host)
        if host.free <= 0:
            return self._send_ahead(host, lines, now_s)
        if len(lines) > 1 or lines[0].model not in host.loaded:
            for line in self._overdue(host, lines, now_s):
                grant = self._serve(host, line, now_s, may_drain=True)
                if grant is not None:
                    return grant
        for priority in self._order(host, lines):
            ours = [line for line in lines if line.priority is priority]
            if priority is Priority.BATCH:
                self._part_ways(host, ours)
            grant = (
                self._load_ahead(host, ours, now_s)
                or self._from_loaded(host, ours, now_s)
                or self._by_loading(host, ours, now_s)
            )
            if grant is not None:
                return grant
        return None

    def _send_ahead(self, host: Host, lines: list[Line], now_s: float) -> Grant | None:
        """A call that waits at the server for its next free slot: of a loaded model, where nobody has to go first."""
        if any(self.board.may_be_overdue(line, now_s) for line in lines):
            return None
        first = min(line.priority for line in lines)
        return self._from_loaded(host, [line for line in lines if line.priority is first], now_s)

    def _order(self, host: Host, lines: list[Line]) -> tuple[Priority, ...]:
        """Interactive first, but for the share of the batch."""
        if self._in_a_row >= BATCH_SHARE and any(
            line.priority is Priority.BATCH and line.model in host.loaded for line in lines
        ):
            return (Priority.BATCH, Priority.INTERACTIVE)
        return (Priority.INTERACTIVE, Priority.BATCH)

    def _overdue(self, host: Host, lines: list[Line], now_s: float) -> list[Line]:
        """Lines that have waited too long and may have their turn here, the worst first."""
        board = self.board
        maybe = [line for line in lines if board.may_be_overdue(line, now_s)]
        if not maybe:
            return maybe
        crowd = board.crowd()
        due = [
            line
            for line in maybe
            if board.is_overdue(host, line, now_s, crowd)
            and (
                line.model in host.loaded
                or len(host.loaded) < host.room
                or any(board.may_end_turn(host, name, line, now_s, crowd) for name in host.loaded)
            )
        ]
        return sorted(due, key=lambda line: line.unserved_since_s + board.limits.of(line.priority))

    def _load_ahead(self, host: Host, lines: list[Line], now_s: float) -> Grant | None:
        """Load the next model while the rest of the last one's work keeps the other slots busy, where there is room."""
        board = self.board
        unloaded = [line for line in lines if line.model not in host.loaded and board.is_worth_loading(host, line)]
        if not unloaded or host.slots == 1 or not host.loaded:
            return None
        line = max(unloaded, key=lambda line: board.gain(host, line))
        if board.seconds_left(host) > host.load_cost_s(line.model):
            return None
        unneeded = next((name for name in host.idle() if not board.need(name)), None)
        if len(host.loaded) >= host.room and unneeded is None:
            return None
        return self._grant(host, line, now_s, unneeded if len(host.loaded) >= host.room else None)

    def _part_ways(self, host: Host, lines: list[Line]) -> None:
        """Drain for a model that no host has, where the other host has ours as well and can be left with its work.

        Of two hosts only: of three, each on a stage of its own, one that is short of work for a moment takes up another
        model again (simulated: 192 s and 28 loads for what takes 126 s and 9).
        """
        board = self.board
        serving = sum(other.serves for other in board.hosts.values())
        if serving != _A_PAIR or host.drain is not None or len(host.loaded) < host.room:
            return
        expected = {other.drain.line.model for other in board.hosts.values() if other.drain is not None}
        new = [
            line
            for line in lines
            if line.model not in expected
            and not board.is_loaded(line.model)
            and board.waiting_s(host, line) > 2 * host.load_cost_s(line.model)
        ]
        if not new:
            return
        line = max(new, key=lambda line: board.gain(host, line))
        for name, model in host.loaded.items():
            if model.ready and host.may_push_out(name) and not board.has_interactive(name, model):
                rest_s = board.left_to_others_s(host, name)
                if 2 * host.load_cost_s(line.model) < rest_s <= board.whole_s(host, line.model):
                    host.drain = Drain(line, name)
                    return

    def _from_loaded(self, host: Host, lines: list[Line], now_s: float) -> Grant | None:
        ready = [line for line in lines if host.admits(line.model)]
        if not ready:
            return None
        if len(ready) == 1:
            return self._grant(host, ready[0], now_s)
        complete = self.board.complete
        return self._grant(host, min(ready, key=lambda line: (-complete(line), line.head().arrived_s)), now_s)

    def _by_loading(self, host: Host, lines: list[Line], now_s: float) -> Grant | None:
        board = self.board
        unloaded = [line for line in lines if line.model not in host.loaded and board.is_worth_loading(host, line)]
        if len(unloaded) > 1:
            unloaded.sort(key=lambda line: (-board.gain(host, line), line.head().arrived_s))
        for line in unloaded:
            grant = self._serve(host, line, now_s, may_drain=line.priority is Priority.INTERACTIVE)
            if grant is not None or host.drain is not None:
                return grant
        return None

    def _serve(self, host: Host, line: Line, now_s: float, *, may_drain: bool) -> Grant | None:
        """Grant the line's next call if its model is, or can be, loaded; else begin to drain where that is allowed."""
        if line.model in host.loaded:
            return self._grant(host, line, now_s) if host.admits(line.model) else None
        if len(host.loaded) < host.room:
            return self._grant(host, line, now_s)
        drain = host.drain
        if drain is not None and drain.line is line and not host.loaded[drain.victim].busy:
            return self._grant(host, line, now_s, drain.victim)
        victim = self._idle_victim(host, line, now_s)
        if victim is not None:
            return self._grant(host, line, now_s, victim)
        if may_drain and host.drain is None:
            self._begin_drain(host, line, now_s)
        return None

    def _idle_victim(self, host: Host, line: Line, now_s: float) -> str | None:
        board = self.board
        idle = [
            name for name in host.idle() if now_s >= host.loaded[name].used_s + board.hold_s(host, name, line.priority)
        ]
        return min(idle, key=lambda name: (board.need(name), host.loaded[name].used_s), default=None)

    def _begin_drain(self, host: Host, line: Line, now_s: float) -> None:
        """Choose which model makes room: an interactive line takes from the batch at once, from others when due."""
        board = self.board
        crowd = board.crowd()
        overdue = board.is_overdue(host, line, now_s, crowd)
        candidates = [
            name
            for name, model in host.loaded.items()
            if host.may_push_out(name)
            and (
                board.may_end_turn(host, name, line, now_s, crowd)
                if overdue
                else not board.has_interactive(name, model)
            )
        ]
        if candidates:
            victim = min(candidates, key=lambda name: (host.loaded[name].busy, board.need(name)))
            host.drain = Drain(line, victim)

    def _grant(self, host: Host, line: Line, now_s: float, pushed_out: str | None = None) -> Grant:
        loads = line.model not in host.loaded
        avoided = self._count(line, loads=loads, swaps=pushed_out is not None)
        if pushed_out is not None:
            del host.loaded[pushed_out]
        if loads:
            host.loaded[line.model] = Loaded(now_s, now_s)
        ticket = line.pop(now_s)
        self.waiting -= 1
        ticket.host = host.name
        ready = host.start(ticket.model, ticket.priority, now_s)
        return Grant(ticket, host, loads, pushed_out, ready, avoided)

    def _count(self, line: Line, *, loads: bool, swaps: bool) -> bool:
        """Whether a swap was avoided."""
        counts = self.counts
        counts.calls += 1
        counts.loads += loads
        counts.swaps += swaps
        self._in_a_row = 0 if line.priority is Priority.BATCH else self._in_a_row + 1
        if loads or len(self.board.lines) == 1:
            return False
        oldest = min(self.board.waiting_lines(), key=lambda each: each.head().arrived_s)
        avoided = oldest is not line and not self.board.is_loaded(oldest.model)
        counts.swaps_avoided += avoided
        return avoided


def _end_drain(host: Host) -> None:
    """A drain ends when what it was for is loaded or no longer wanted."""
    drain = host.drain
    if drain is not None and (
        not drain.line.size or drain.victim not in host.loaded or drain.line.model in host.loaded
    ):
        host.drain = None
