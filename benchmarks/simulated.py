"""A simulated model server and a discrete-event clock: hours of a batch run in seconds.

The same `nonet.runtimes.policy.Policy` that serves live calls decides here; `FirstCome` decides as a server without a
scheduler does: in the order in which the calls came.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nonet.runtimes.board import Board, Limits, Outlook
from nonet.runtimes.hosts import Host, Loaded
from nonet.runtimes.lines import Priority, Ticket
from nonet.runtimes.policy import Grant, Policy


@dataclass(frozen=True)
class Speeds:
    """Of one slot."""

    load_s: float = 8.0
    prompt_tokens_per_s: float = 400.0
    tokens_per_s: float = 40.0

    def call_s(self, prompt_tokens: int, completion_tokens: int) -> float:
        return prompt_tokens / self.prompt_tokens_per_s + completion_tokens / self.tokens_per_s


@dataclass(eq=False)
class Call:
    """One simulated call."""

    model: str
    seconds: float
    priority: Priority = Priority.BATCH
    then: Callable[[float], None] | None = None
    """Called when it has ended."""
    arrived_s: float = 0.0
    began_s: float = 0.0
    """When its slot was given to it."""
    ended_s: float = 0.0
    host: str = ""
    runs: int = 0
    loads: bool = False
    """It found its model not loaded."""


class Decider(Protocol):
    def submit(self, ticket: Ticket, now_s: float) -> None: ...
    def resubmit(self, ticket: Ticket, now_s: float) -> None: ...
    def finish(self, ticket: Ticket, now_s: float) -> None: ...
    def decide(self, now_s: float) -> list[Grant]: ...
    @property
    def board(self) -> Board: ...


@dataclass
class FirstCome:
    """In the order of arrival: the head of the queue holds up all behind it, and the least recently used model goes."""

    board: Board
    queue: deque[Ticket] = field(default_factory=deque)

    def submit(self, ticket: Ticket, _now_s: float) -> None:
        self.queue.append(ticket)

    def resubmit(self, ticket: Ticket, _now_s: float) -> None:
        self.queue.appendleft(ticket)

    def finish(self, ticket: Ticket, now_s: float) -> None:
        self.board.hosts[ticket.host].finish(ticket.model, ticket.priority, now_s)

    def decide(self, now_s: float) -> list[Grant]:
        grants = []
        while self.queue and (found := self._place(self.queue[0])):
            host, pushed_out = found
            ticket = self.queue.popleft()
            loads = ticket.model not in host.loaded
            if pushed_out is not None:
                del host.loaded[pushed_out]
            if loads:
                host.loaded[ticket.model] = Loaded(now_s, now_s)
            ticket.host = host.name
            host.start(ticket.model, ticket.priority, now_s)
            grants.append(Grant(ticket, host, loads, pushed_out, not loads))
        return grants

    def _place(self, ticket: Ticket) -> tuple[Host, str | None] | None:
        for host in self.board.free_hosts():
            if ticket.model in host.loaded or len(host.loaded) < host.room:
                return host, None
            idle = host.idle()
            if idle:
                return host, idle[0]
        return None


@dataclass
class Simulation:
    """Servers, calls and a clock."""

    decider: Decider
    load_s: float
    now_s: float = 0.0
    swaps: int = 0
    loads: int = 0
    idle_slot_s: float = 0.0
    """Slots that stood free while a call waited for a model that was loaded on that host and made room for no other."""
    done: list[Call] = field(default_factory=list)
    lost_s: float = 0.0
    """Work that was under way on a host that died."""
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _in_flight: dict[str, dict[Ticket, Call]] = field(default_factory=dict)
    _loaded_at: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, hosts: Sequence[Host], load_s: float, limits: Limits | None = None, *, fcfs: bool = False
    ) -> Simulation:
        board = Board({host.name: host for host in hosts}, limits or Limits())
        return cls(FirstCome(board) if fcfs else Policy(board), load_s)

    @property
    def outlook(self) -> Outlook:
        return self.decider.board.outlook

    def at(self, time_s: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (time_s, self._number, action))

    def submit(self, call: Call) -> None:
        call.arrived_s = self.now_s
        self.decider.submit(Ticket(call.model, call.priority, self.now_s, payload=call), self.now_s)

    def run(self) -> None:
        """Until nothing is left to do."""
        self._decide()
        while self._events:
            time_s, _, action = heapq.heappop(self._events)
            self._account(time_s - self.now_s)
            self.now_s = time_s
            action()
            while self._events and self._events[0][0] <= self.now_s:
                heapq.heappop(self._events)[2]()
            self._decide()

    def kill(self, name: str) -> None:
        """A host dies: what was in flight there is tried elsewhere."""
        host = self.decider.board.hosts[name]
        host.up = False
        host.drain = None
        for ticket, call in self._in_flight.pop(name, {}).items():
            self.lost_s += self.now_s - call.began_s
            self.decider.finish(ticket, self.now_s)
            self.decider.resubmit(ticket, self.now_s)
        host.loaded.clear()

    def _account(self, seconds: float) -> None:
        if isinstance(self.decider, Policy) and self.decider.waiting:
            for host in self.decider.board.hosts.values():
                if host.serves and host.drain is None:
                    ready = sum(self.decider.board.work_for(model) for model in host.loaded)
                    self.idle_slot_s += min(max(0, host.free), ready) * seconds

    def _decide(self) -> None:
        for grant in self.decider.decide(self.now_s):
            self._start(grant)
        if isinstance(self.decider, Policy) and self.decider.waiting:
            change_s = self.decider.board.next_change_s(self.now_s)
            if change_s is not None and (not self._events or change_s < self._events[0][0]):
                self.at(change_s, lambda: None)

    def _start(self, grant: Grant) -> None:
        call: Call = grant.ticket.payload
        call.began_s = self.now_s
        call.host = grant.host.name
        call.runs += 1
        call.loads = grant.loads
        key = (grant.host.name, call.model)
        self.swaps += grant.pushed_out is not None
        if grant.loads:
            self.loads += 1
            self._loaded_at[key] = self.now_s + self.load_s
        starts_s = max(self.now_s, self._loaded_at[key])
        self._in_flight.setdefault(grant.host.name, {})[grant.ticket] = call
        self.at(starts_s + call.seconds, lambda: self._end(grant, call))

    def _end(self, grant: Grant, call: Call) -> None:
        if self._in_flight.get(call.host, {}).pop(grant.ticket, None) is None or call.host != grant.host.name:
            return  # it died with its host
        self.decider.finish(grant.ticket, self.now_s)
        self.decider.board.measured(
            grant.ticket, seconds=call.seconds, load_seconds=self.load_s if grant.loads else 0.0
        )
        call.ended_s = self.now_s
        self.done.append(call)
        if call.then is not None:
            call.then(self.now_s)


@dataclass(frozen=True)
class Stage:
    """One stage of a batch: its model, and the share of documents that go through it."""

    model: str
    seconds: Callable[[int], float]
    """By the number of the document."""
    share: float = 1.0


def feed(simulation: Simulation, stages: Sequence[Stage], documents: int, *, at_once: int = 0) -> float:
    """Put documents in that pass through the stages one after another; the seconds of work in all.

    What is still to come is announced, as the executor announces the subtasks of open plans.

    Args:
        at_once: documents in flight; 0: all.
    """
    work_s = 0.0
    plans = []
    for number in range(documents):
        plan = [
            stage
            for at, stage in enumerate(stages)
            if stage.share >= 1 or (number * 7919 + at * 31) % 100 < stage.share * 100
        ]
        work_s += sum(stage.seconds(number) for stage in plan)
        plans.append((plan, number))
    waiting = iter(plans)
    for plan, number in itertools.islice(waiting, at_once or documents):
        _open(simulation, plan, number, waiting)
    return work_s


Plans = Iterator[tuple[Sequence[Stage], int]]


def _open(simulation: Simulation, plan: Sequence[Stage], number: int, waiting: Plans) -> None:
    for stage in plan:
        simulation.outlook.expect(stage.model, 1)
    _next(simulation, plan, number, waiting)


def _next(simulation: Simulation, plan: Sequence[Stage], number: int, waiting: Plans) -> None:
    if not plan:
        following = next(waiting, None)
        if following is not None:
            _open(simulation, *following, waiting)
        return
    stage, rest = plan[0], plan[1:]
    simulation.outlook.expect(stage.model, -1)
    simulation.outlook.work(stage.model, Priority.BATCH, 1)

    def ended(_now_s: float) -> None:
        simulation.outlook.work(stage.model, Priority.BATCH, -1)
        _next(simulation, rest, number, waiting)

    simulation.submit(Call(stage.model, stage.seconds(number), then=ended))


def lower_bound_s(work_s: float, *, models: int, slots: int, room: int, load_s: float, hosts: int = 1) -> float:
    """What no order can beat: the work, and one load of each model.

    The first load leaves every slot of its host idle, and so does each where there is room for one model; otherwise
    it takes one slot.
    """
    first_s = load_s * slots * hosts
    rest_s = (models - hosts if models > hosts else 0) * load_s * (slots if room == 1 else 1)
    return (work_s + first_s + rest_s) / (slots * hosts)


def two_hosts_bound_s(work_s: float, *, slots: int, load_s: float, call_s: float) -> float:
    """What no order of three chained stages can beat on two hosts of room 1, each stage a third of the work.

    With three loads one host does two stages alone. With four (one stage on both hosts) the work may be shared evenly,
    but one host stands still for a call's time: either it has no first stage and waits for the first call of it, or no
    last stage and has ended its own before the last call of it begins. More loads only add to that.
    """
    three_loads_s = 2 * load_s + 2 / 3 * work_s / slots
    four_loads_s = (work_s / slots + 4 * load_s + call_s) / 2
    return min(three_loads_s, four_loads_s)


def least_limit_s(busy: float, *, models: int, slots: int, room: int, load_s: float) -> float:
    """The shortest waiting limit that can be kept for calls that keep a server busy for that share of its time.

    In each span of the limit every model that does not stay loaded must be loaded once, and what the loads leave must
    be enough for the work. A load takes all slots where there is room for one model, else one.
    """
    if models <= room:
        return 0.0
    changing = models if room == 1 else models - room + 1
    return changing * load_s * (1.0 if room == 1 else 1 / slots) / (1 - busy)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row) + " |")
