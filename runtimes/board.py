"""What the scheduler's policy looks at: hosts, lines, what is still to come, and what calls and loads take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nonet.runtimes.hosts import CALL_SECONDS, Host, Loaded, blend
from nonet.runtimes.lines import Line, Priority, Ticket

MOST_HOLD_SECONDS = 2.0
"""The longest pause in which a model is kept for a subtask that will call it again."""
_TURN_LOADS = {Priority.INTERACTIVE: 1.0, Priority.BATCH: 10.0}
"""The shortest turn of a model, in loads: with 10, loading takes at most a tenth of the time."""


Crowd = Mapping[Priority, frozenset[str]]
"""The models that wait to be loaded, by the priority of their calls."""


@dataclass(slots=True)
class Limits:
    """How long a line may stay unserved, in seconds."""

    interactive_seconds: float = 30.0
    batch_seconds: float = 600.0

    def of(self, priority: Priority) -> float:
        return self.interactive_seconds if priority is Priority.INTERACTIVE else self.batch_seconds


@dataclass(slots=True)
class Outlook:
    """What open plans will still ask for."""

    _coming: Counter[str] = field(default_factory=Counter)
    _at_work: Counter[tuple[str, Priority]] = field(default_factory=Counter)

    def expect(self, model: str, subtasks: int) -> None:
        """So many subtasks (fewer, where negative) that are not started yet will call the model."""
        self._coming[model] += subtasks

    def work(self, model: str, priority: Priority, subtasks: int) -> None:
        """So many subtasks more (fewer, where negative) are at work, and may call the model again."""
        self._at_work[model, priority] += subtasks

    def coming(self, model: str) -> int:
        return max(0, self._coming[model])

    def at_work(self, model: str, least: Priority = Priority.BATCH) -> int:
        """Subtasks of that priority or a higher one."""
        interactive = max(0, self._at_work[model, Priority.INTERACTIVE])
        return (
            interactive if least is Priority.INTERACTIVE else interactive + max(0, self._at_work[model, Priority.BATCH])
        )


@dataclass(slots=True)
class Board:
    """All that a decision depends on. Its size is that of the models and hosts, not of the calls."""

    hosts: dict[str, Host]
    limits: Limits = field(default_factory=Limits)
    outlook: Outlook = field(default_factory=Outlook)
    lines: dict[tuple[str, Priority], Line] = field(default_factory=dict)
    call_seconds: dict[str, float] = field(default_factory=dict)
    """A call's seconds without loading, by model, as measured."""

    def line_of(self, ticket: Ticket) -> Line:
        key = (ticket.model, ticket.priority)
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = Line(*key)
        return line

    def waiting_lines(self) -> Iterator[Line]:
        return (line for line in self.lines.values() if line.size)

    def queued(self) -> dict[str, int]:
        """Calls that wait, by model."""
        sizes: Counter[str] = Counter()
        for line in self.waiting_lines():
            sizes[line.model] += line.size
        return dict(sizes)

    def free_hosts(self) -> list[Host]:
        """Hosts that can take a call, the one that would have the most speed left for it first."""
        free = [host for host in self.hosts.values() if host.takes > 0 and host.serves]
        if len(free) > 1:
            known = [host.tokens_per_second for host in free if host.tokens_per_second]
            usual = sum(known) / len(known) if known else 1.0
            free.sort(key=lambda host: (host.running + 1) / host.slots / (host.tokens_per_second or usual))
        return free

    def is_loaded(self, model: str) -> bool:
        """Somewhere."""
        return any(model in host.loaded for host in self.hosts.values() if host.serves)

    def work_for(self, model: str) -> int:
        """Calls that wait for it."""
        interactive = self.lines.get((model, Priority.INTERACTIVE))
        batch = self.lines.get((model, Priority.BATCH))
        return (interactive.size if interactive is not None else 0) + (batch.size if batch is not None else 0)

    def need(self, model: str) -> int:
        """How much will be asked of it, as far as anybody knows."""
        return max(self.work_for(model), self.outlook.at_work(model)) + self.outlook.coming(model)

    def complete(self, line: Line) -> float:
        """How much of the model's work is here already, 0 to 1."""
        return line.size / (line.size + self.outlook.coming(line.model))

    def gain(self, host: Host, line: Line) -> float:
        """Seconds of work a second of loading gives, less where more of it is still to come."""
        work_s = line.size * self.call_seconds.get(line.model, CALL_SECONDS)
        return work_s / max(host.load_cost_s(line.model), 1e-3) * self.complete(line)

    def is_worth_loading(self, host: Host, line: Line) -> bool:
        """False where other hosts have the model loaded and would be through sooner than the load here."""
        others = [
            other for other in self.hosts.values() if other is not host and other.serves and line.model in other.loaded
        ]
        if not others:
            return True
        queue_s = line.size * self.call_seconds.get(line.model, CALL_SECONDS) / sum(other.slots for other in others)
        return queue_s > host.load_cost_s(line.model)

    def left_to_others_s(self, host: Host, model: str) -> float:
        """How long the other hosts that have the model and keep it would take for all that is still asked of it.

        0 where there is none.
        """
        slots = sum(
            other.slots for other in self.hosts.values() if other is not host and other.serves and other.admits(model)
        )
        return (self.work_for(model) + self.outlook.coming(model)) * self._call_s(model) / slots if slots else 0.0

    def waiting_s(self, host: Host, line: Line) -> float:
        """How long this host would take for the calls that wait."""
        return line.size * self._call_s(line.model) / host.slots

    def whole_s(self, host: Host, model: str) -> float:
        """How long this host would take for all that is still asked of a model."""
        return (self.work_for(model) + self.outlook.coming(model)) * self._call_s(model) / host.slots

    def _call_s(self, model: str) -> float:
        return self.call_seconds.get(model, CALL_SECONDS)

    def seconds_left(self, host: Host) -> float:
        """Until the calls that wait for this host's loaded models are through."""
        calls = (self.work_for(model) * self.call_seconds.get(model, CALL_SECONDS) for model in host.loaded)
        return sum(calls) / host.slots

    def has_interactive(self, name: str, model: Loaded) -> bool:
        """Whether somebody waits for this model, or for an answer of it."""
        line = self.lines.get((name, Priority.INTERACTIVE))
        return bool(model.running[Priority.INTERACTIVE] or (line and line.size))

    def hold_s(self, host: Host, model: str, priority: Priority) -> float:
        """How long an idle model is kept for a subtask between two calls (as disks wait for the next read)."""
        if self.outlook.at_work(model, priority) <= self.work_for(model):
            return 0.0
        return min(host.load_cost_s(model), MOST_HOLD_SECONDS)

    def crowd(self) -> Crowd:
        """The lines whose models wait to be loaded."""
        loaded = {name for host in self.hosts.values() if host.serves for name in host.loaded}
        return {
            priority: frozenset(
                line.model for line in self.lines.values() if line.size and line.priority is priority
            ).difference(loaded)
            for priority in Priority
        }

    def patience_s(self, host: Host, line: Line, crowd: Crowd) -> float:
        """How long a line waits before its turn must begin, so that it and all that wait with it keep their limit.

        What is under way has to end and the model to be loaded, and the others that wait want a turn each as well.
        """
        limit_s = self.limits.of(line.priority)
        others = len(crowd[line.priority] - {line.model})
        least_s = limit_s / (1 + others) / 2
        return max(least_s, limit_s - self._change_s(host, line) - others * self.turn_s(host, line, crowd))

    def may_be_overdue(self, line: Line, now_s: float) -> bool:
        """False where it is not, however many wait with it: a quick look."""
        return now_s - line.unserved_since_s >= self.limits.of(line.priority) / (2 * len(self.lines))

    def is_overdue(self, host: Host, line: Line, now_s: float, crowd: Crowd) -> bool:
        return now_s - line.unserved_since_s >= self.patience_s(host, line, crowd)

    def turn_s(self, host: Host, line: Line, crowd: Crowd) -> float:
        """The shortest turn a loaded model has before `line` may end it: some loads long, but all must have theirs."""
        others = len(crowd[line.priority] - {line.model})
        wanted_s = _TURN_LOADS[line.priority] * host.load_cost_s(line.model)
        most_s = self.limits.of(line.priority) / (1 + others) - self._change_s(host, line)
        return max(0.0, min(wanted_s, most_s))

    def _change_s(self, host: Host, line: Line) -> float:
        """From the decision for another model to its first call."""
        return host.load_cost_s(line.model) + max(self.call_seconds.values(), default=CALL_SECONDS)

    def may_end_turn(self, host: Host, name: str, line: Line, now_s: float, crowd: Crowd) -> bool:
        """Whether the model has had its shortest turn, or has nothing more to do."""
        if not self.work_for(name):
            return True
        return now_s - host.loaded[name].turn_since_s >= self.turn_s(host, line, crowd)

    def next_change_s(self, now_s: float) -> float | None:
        """When a decision may come out differently though nothing happens; None: never."""
        if not any(host.takes > 0 and host.serves for host in self.hosts.values()):
            return None
        times: list[float] = []
        crowd = self.crowd()
        for line in self.waiting_lines():
            for host in self.hosts.values():
                times.append(line.unserved_since_s + self.patience_s(host, line, crowd))
                turn_s = self.turn_s(host, line, crowd)
                for name, model in host.loaded.items():
                    times.append(model.turn_since_s + turn_s)
                    if not model.busy:
                        times.append(model.used_s + self.hold_s(host, name, line.priority))
        return min((time for time in times if time > now_s), default=None)

    def measured(self, ticket: Ticket, *, seconds: float, load_seconds: float, completion_tokens: int = 0) -> None:
        """What a call that ended well took; `seconds` without loading."""
        self.call_seconds[ticket.model] = blend(self.call_seconds.get(ticket.model, 0.0), seconds)
        host = self.hosts.get(ticket.host)
        if host is None:
            return
        if load_seconds > 0:
            host.load_seconds[ticket.model] = blend(host.load_seconds.get(ticket.model, 0.0), load_seconds)
        if completion_tokens and seconds > 0:
            host.tokens_per_second = blend(host.tokens_per_second, completion_tokens / seconds)
