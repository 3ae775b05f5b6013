"""The scheduler's policy under a small simulated clock: nothing starves, no slot stands idle, no call is lost."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.runtimes.board import Board, Limits
from nonet.runtimes.hosts import Host
from nonet.runtimes.lines import GROUP_CALLS, Line, Priority, Ticket
from nonet.runtimes.policy import BATCH_SHARE, Grant, Policy

INTERACTIVE, BATCH = Priority.INTERACTIVE, Priority.BATCH
LOAD_S = 4.0


@dataclass
class World:
    """Hosts that take `LOAD_S` for a load, and a second and a half for a call."""

    hosts: list[Host]
    limits: Limits = field(default_factory=Limits)
    now_s: float = 0.0
    grants: list[tuple[float, Grant]] = field(default_factory=list)
    ended: list[Ticket] = field(default_factory=list)
    events: list[tuple[float, int, object]] = field(default_factory=list)
    call_s: float = 1.5
    _number: int = 0

    def __post_init__(self) -> None:
        for host in self.hosts:
            host.load_seconds = dict.fromkeys("ABCD", LOAD_S)
        self.policy = Policy(Board({host.name: host for host in self.hosts}, self.limits))
        self.policy.board.call_seconds = dict.fromkeys("ABCD", self.call_s)

    def arrive(self, at_s: float, model: str, priority: Priority = BATCH, prefix: int = 0) -> Ticket:
        ticket = Ticket(model, priority, at_s, prefix)
        self._push(at_s, ticket)
        return ticket

    def cancel(self, at_s: float, ticket: Ticket) -> None:
        self._push(at_s, ("cancel", ticket))

    def run(self) -> None:
        while self.events:
            self.now_s = self.events[0][0]
            while self.events and self.events[0][0] <= self.now_s:
                self._happen(heapq.heappop(self.events)[2])
            for grant in self.policy.decide(self.now_s):
                self.grants.append((self.now_s, grant))
                self._push(self.now_s + self.call_s + (LOAD_S if grant.loads else 0.0), grant)
            self.check()
            change_s = self.policy.board.next_change_s(self.now_s)
            if change_s is not None and not self.events:
                self._push(change_s, None)

    def check(self) -> None:
        """What must hold after every decision."""
        board = self.policy.board
        assert self.policy.waiting == sum(line.size for line in board.waiting_lines())
        for host in board.hosts.values():
            assert 0 <= host.running <= host.slots
            assert len(host.loaded) <= host.room
            assert host.running == sum(model.busy for model in host.loaded.values())
            if host.free > 0:
                victim = host.drain.victim if host.drain else ""
                idle_for = [model for model in host.loaded if model != victim and board.work_for(model)]
                assert not idle_for, "a slot stands idle while a loaded model has work"

    def order(self) -> str:
        return "".join(grant.ticket.model for _, grant in self.grants)

    def start_of(self, ticket: Ticket) -> float:
        return next(at_s for at_s, grant in self.grants if grant.ticket is ticket)

    def _push(self, at_s: float, event: object) -> None:
        self._number += 1
        heapq.heappush(self.events, (at_s, self._number, event))

    def _happen(self, event: object) -> None:
        if isinstance(event, Ticket):
            self.policy.submit(event, self.now_s)
        elif isinstance(event, Grant):
            self.policy.finish(event.ticket, self.now_s)
            self.ended.append(event.ticket)
        elif isinstance(event, tuple):
            self.policy.cancel(event[1])


def one_host(slots: int = 1, room: int = 1) -> list[Host]:
    return [Host("h", slots, room)]


CALLS = st.lists(
    st.tuples(
        st.floats(0, 120, allow_nan=False),
        st.sampled_from("ABCD"),
        st.sampled_from(Priority),
        st.integers(0, 2),
        st.one_of(st.none(), st.floats(0, 60)),
    ),
    max_size=80,
)


@given(CALLS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_every_call_runs_once_or_is_cancelled_and_no_slot_stands_idle(
    calls: list[tuple[float, str, Priority, int, float | None]], slots: int, room: int, hosts: int
) -> None:
    world = World([Host(f"h{number}", slots, room) for number in range(hosts)])
    tickets = []
    for at_s, model, priority, prefix, cancelled_after_s in calls:
        ticket = world.arrive(at_s, model, priority, prefix)
        tickets.append(ticket)
        if cancelled_after_s is not None:
            world.cancel(at_s + cancelled_after_s, ticket)
    world.run()
    granted = [id(grant.ticket) for _, grant in world.grants]
    assert len(granted) == len(set(granted))
    assert set(granted).isdisjoint(id(ticket) for ticket in tickets if ticket.cancelled)
    assert len(granted) + sum(ticket.cancelled for ticket in tickets) == len(tickets)
    assert len(world.ended) == len(granted)
    assert world.policy.waiting == 0
    assert world.policy.counts.calls == len(granted)


@given(
    st.lists(st.tuples(st.floats(0, 400, allow_nan=False), st.sampled_from("ABC")), min_size=1, max_size=120),
    st.integers(1, 3),
    st.integers(1, 2),
)
@settings(max_examples=100, deadline=None)
def test_no_model_with_a_waiting_call_is_left_longer_than_the_limit(
    calls: list[tuple[float, str]], slots: int, room: int
) -> None:
    limits = Limits(batch_seconds=150.0)
    world = World(one_host(slots, room), limits)
    for at_s, model in calls:
        world.arrive(at_s, model)
    world.run()
    served_s: dict[str, float] = {}
    for at_s, grant in world.grants:
        ticket = grant.ticket
        unserved_s = at_s - max(served_s.get(ticket.model, 0.0), ticket.arrived_s)
        assert unserved_s <= limits.batch_seconds + LOAD_S + world.call_s
        served_s[ticket.model] = at_s


@given(st.integers(1, 8), st.integers(1, 3), st.floats(1, 50))
@settings(max_examples=60, deadline=None)
def test_an_interactive_call_amid_a_full_batch_starts_within_a_call_and_a_load(
    slots: int, room: int, at_s: float
) -> None:
    world = World(one_host(slots, room))
    for model in "ABC"[:room]:
        for _ in range(100):
            world.arrive(0.0, model)
    asked = world.arrive(at_s, "D", INTERACTIVE)
    world.run()
    # A load that is under way when it comes is part of the call in flight.
    assert world.start_of(asked) - at_s <= world.call_s + LOAD_S


def test_stages_run_in_passes() -> None:
    world = World(one_host())
    for _ in range(3):
        for model in "ABC":
            world.arrive(0.0, model)
    world.run()
    assert world.order() == "AAABBBCCC"
    assert (world.policy.counts.loads, world.policy.counts.swaps) == (3, 2)


def test_the_longest_line_a_load_goes_first_but_not_one_that_is_still_to_grow() -> None:
    world = World(one_host())
    world.policy.board.outlook.expect("B", 30)
    for model in ("A", *["B"] * 6, *["C"] * 4):
        world.arrive(0.0, model)
    world.run()
    assert world.order() == "CCCCABBBBBB"


def test_a_model_between_two_calls_of_a_subtask_is_kept_for_a_moment() -> None:
    def served(at_work: int) -> str:
        world = World(one_host())
        world.policy.board.outlook.work("A", BATCH, at_work)
        world.arrive(0.0, "A")
        world.arrive(0.1, "B")
        world.arrive(LOAD_S + world.call_s + 1.0, "A")  # a second after the first has ended: its repair
        world.run()
        return world.order()

    assert served(1) == "AAB"
    assert served(0) == "ABA"


def test_the_batch_keeps_a_share_of_its_model() -> None:
    world = World(one_host())
    for number in range(40):
        world.arrive(0.0, "A", INTERACTIVE if number < 30 else BATCH)
    world.run()
    first = [grant.ticket.priority for _, grant in world.grants[: BATCH_SHARE + 1]]
    assert first == [INTERACTIVE] * BATCH_SHARE + [BATCH]


def test_a_pinned_model_stays_where_there_is_room_for_another() -> None:
    world = World([Host("h", 1, 2, pinned=frozenset("A"))])
    for model in "ABCBCA":
        world.arrive(0.0, model)
    world.arrive(100.0, "D")
    world.arrive(200.0, "A")
    world.run()
    assert not [grant for _, grant in world.grants if grant.pushed_out == "A"]
    assert sum(grant.loads for _, grant in world.grants if grant.ticket.model == "A") == 1


def test_a_call_goes_where_its_model_is_loaded_then_where_it_is_present() -> None:
    world = World([Host("fast", 2, 2, present=frozenset("AB")), Host("slow", 2, 2, present=frozenset("ABC"))])
    fast, slow = world.hosts
    fast.tokens_per_second, slow.tokens_per_second = 90.0, 30.0
    slow.see_loaded(["B"], 0.0)
    went = {model: world.arrive(0.0, model) for model in "ABC"}
    world.run()
    assert {model: ticket.host for model, ticket in went.items()} == {"A": "fast", "B": "slow", "C": "slow"}


def test_a_second_host_loads_a_model_only_where_the_line_is_longer_than_the_load() -> None:
    def hosts_used(calls: int) -> set[str]:
        world = World([Host("h1", 1, 1), Host("h2", 1, 1)])
        world.hosts[0].see_loaded(["A"], 0.0)
        for _ in range(calls):
            world.arrive(0.0, "A")
        world.run()
        return {ticket.host for ticket in world.ended}

    assert hosts_used(2) == {"h1"}
    assert hosts_used(20) == {"h1", "h2"}


def test_two_hosts_with_the_same_model_part_ways_for_one_that_none_has() -> None:
    def parted_s(second: int) -> float | None:
        """When one of the hosts took up B while calls of A waited."""
        world = World([Host("h1", 2, 1), Host("h2", 2, 1)])
        for _ in range(60):
            world.arrive(0.0, "A")
        for _ in range(second):
            world.arrive(LOAD_S + world.call_s, "B")
        world.run()
        loads = [(at_s, grant.ticket.model) for at_s, grant in world.grants if grant.loads]
        assert [model for _, model in loads].count("A") == 2, "each model is loaded once a host at most"
        assert [model for _, model in loads].count("B") <= 2
        last_a_s = max(at_s for at_s, grant in world.grants if grant.ticket.model == "A")
        return next((at_s for at_s, model in loads if model == "B" and at_s < last_a_s), None)

    at_once_s, later_s = parted_s(60), parted_s(20)
    assert at_once_s is not None
    assert later_s is not None
    assert at_once_s < 2 * LOAD_S < later_s, "with less work for B, not before the other host has no more of A to do"
    assert parted_s(4) is None, "that is less than the loads"


def test_a_host_that_is_down_or_leaving_gets_nothing() -> None:
    world = World([Host("h1"), Host("h2", up=False), Host("h3", leaving=True)])
    for _ in range(20):
        world.arrive(0.0, "A")
    world.run()
    assert {ticket.host for ticket in world.ended} == {"h1"}


def test_what_a_failed_host_had_goes_before_what_came_later() -> None:
    policy = Policy(Board({"h": Host("h", 1, 1)}))
    first, second = Ticket("A", BATCH, 0.0), Ticket("A", BATCH, 1.0)
    policy.submit(first, 0.0)
    assert [grant.ticket for grant in policy.decide(0.0)] == [first]
    policy.submit(second, 1.0)
    policy.finish(first, 2.0)
    policy.resubmit(first, 2.0)
    assert [grant.ticket for grant in policy.decide(2.0)] == [first]


def test_room_is_made_for_what_another_process_waits_for() -> None:
    host = Host("h", 2, 1)
    policy = Policy(Board({"h": host}))
    for _ in range(3):
        policy.submit(Ticket("A", BATCH, 0.0), 0.0)
    assert len(policy.decide(0.0)) == 2
    host.others_want = "B"
    policy.finish(Ticket("A", BATCH, 0.0, host="h"), 1.0)
    assert policy.decide(1.0) == []
    host.others_want = ""
    assert len(policy.decide(1.0)) == 1


def test_what_another_process_uses_is_not_pushed_out() -> None:
    host = Host("h", 2, 1, others_use=frozenset("A"))
    host.see_loaded(["A"], 0.0)
    policy = Policy(Board({"h": host}))
    policy.submit(Ticket("B", BATCH, 0.0), 0.0)
    assert policy.decide(1.0) == []
    host.others_use = frozenset()
    assert [grant.pushed_out for grant in policy.decide(1.0)] == ["A"]


class TestLine:
    def test_calls_that_share_a_prefix_follow_one_another(self) -> None:
        line = Line("A", BATCH)
        for number, prefix in enumerate((1, 2, 1, 0, 2, 1)):
            line.push(Ticket("A", BATCH, number, prefix), 0.0)
        assert [line.pop(9.0).arrived_s for _ in range(6)] == [0, 2, 5, 1, 4, 3]

    def test_a_prefix_that_never_ends_does_not_starve_the_others(self) -> None:
        line = Line("A", BATCH)
        other = Ticket("A", BATCH, 0.5, 2)
        line.push(Ticket("A", BATCH, 0.0, 1), 0.0)
        line.push(other, 0.0)
        served = 0
        while line.pop(0.0) is not other:
            served += 1
            line.push(Ticket("A", BATCH, 1.0, 1), 0.0)
        assert served == GROUP_CALLS

    def test_a_cancelled_call_is_passed_over(self) -> None:
        line = Line("A", BATCH)
        tickets = [Ticket("A", BATCH, number, 1) for number in range(3)]
        for ticket in tickets:
            line.push(ticket, 0.0)
        line.cancel(tickets[0])
        assert (line.size, line.head()) == (2, tickets[1])
