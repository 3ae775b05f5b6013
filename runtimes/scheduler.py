"""One scheduler owns the models: every call of every run and job of this process goes through it.

What runs next is decided by policy.py, which knows neither time nor event loop; here calls wait for their turns, go to
the host that was chosen, and go to another one where that fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from nonet.errors import NonetError, RuntimeUnavailableError
from nonet.runtimes.around import LookAround
from nonet.runtimes.board import Board, Limits, Outlook
from nonet.runtimes.embed_batches import EmbedBatches, Take
from nonet.runtimes.energy import EnergyShares
from nonet.runtimes.hosts import Host
from nonet.runtimes.lines import Priority, Ticket
from nonet.runtimes.neighbours import Neighbours
from nonet.runtimes.once import Once
from nonet.runtimes.parallel import Parallelism
from nonet.runtimes.policy import Grant, Policy, PolicyCounts
from nonet.runtimes.protocol import OnText, Runtime
from nonet.runtimes.servers import SERVER_FAULTS, Server, that_have
from nonet.runtimes.shown import Shown
from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse, Trip, Usage

OnSwap = Callable[[str, str], None]
"""Called with the model that was pushed out and the model that is loaded in its place."""
OnEmbedded = Callable[[str, EmbedResponse], None]
Answer = TypeVar("Answer", ChatResponse, EmbedResponse)

MOST_TRIES = 4
"""Servers that a call is tried on, one after another, before its error is raised."""
_SHARED_CHARACTERS = 512
"""So much of the first message after the system's must be the same for two calls to share a prefix."""
_TIMER_SLACK_SECONDS = 0.002


class Scheduler:
    """Hands out the slots of one or several hosts. Used from one event loop.

    Args:
        runtime: of the first host; None: there is none yet.
        slots: as in `add_host`.
        max_loaded: as in `add_host`.
        limits: how long a model may have calls waiting and not get its turn.
        once: shares and keeps the answers of deterministic calls; None: every call is made.
        energy: of the machine that computes; None where it is not known.
        on_embedded: told of each request for embeddings that was answered, whoever it was made for.
        clock: for tests.
    """

    def __init__(
        self,
        runtime: Runtime | None = None,
        *,
        slots: int = 4,
        max_loaded: int = 3,
        limits: Limits | None = None,
        once: Once | None = None,
        energy: EnergyShares | None = None,
        on_embedded: OnEmbedded | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.once = once
        self._energy = energy
        self._on_embedded = on_embedded
        self._embeds = EmbedBatches(self._embed)
        self.servers: dict[str, Server] = {}
        self.policy = Policy(Board({}, limits or Limits()))
        self._pinned: frozenset[str] = frozenset()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = 0.0
        self._around = LookAround(self.policy.board, self.servers, self.dispatch)
        if runtime is not None:
            self.add_host(runtime, name=runtime.name, slots=slots, max_loaded=max_loaded)

    @property
    def counts(self) -> PolicyCounts:
        """What was done so far."""
        return self.policy.counts

    @property
    def outlook(self) -> Outlook:
        """Tell it what open plans will ask for."""
        return self.policy.board.outlook

    def add_host(
        self,
        runtime: Runtime,
        *,
        name: str,
        slots: int = 4,
        max_loaded: int = 3,
        present: Iterable[str] | None = None,
        ahead: int = 0,
        finds_slots: bool = False,
    ) -> Host:
        """Take a host in, at any time.

        Args:
            runtime: what serves it.
            name: no other host has it.
            slots: calls at once; what the server allows (OLLAMA_NUM_PARALLEL) or the embedded runtime has.
            max_loaded: models the runtime keeps loaded at once (Ollama on a CPU: 3).
            present: the models it has; None: all that are asked for.
            ahead: calls that may wait at the server beside those in its slots.
            finds_slots: how many slots there are is a guess, to be corrected by what the server is seen to do.
        """
        host = Host(name, slots, max_loaded, None if present is None else frozenset(present), self._pinned, ahead=ahead)
        self.policy.board.hosts[name] = host
        self.servers[name] = Server(
            host, runtime, self.dispatch, self.clock, parallel=Parallelism() if finds_slots else None
        )
        if self.policy.waiting:
            self.dispatch()
        return host

    async def remove_host(self, name: str) -> None:
        """Let a host finish what it has, give it nothing new, and forget it."""
        server = self.servers[name]
        server.host.leaving = True
        self.dispatch()
        await server.settled()
        self._around.leave(name)
        del self.servers[name], self.policy.board.hosts[name]
        await server.aclose()

    def pin(self, model: str) -> None:
        """Keep a small model that is always needed in memory, on every host that has room for another beside it."""
        self._pinned |= {model}
        for server in self.servers.values():
            server.host.pinned = self._pinned

    def seen_loaded(self, models: Sequence[str], host: str | None = None) -> None:
        """Tell what a host says is loaded already (Ollama's /api/ps), so that its work goes first."""
        server = self.servers[host] if host is not None else next(iter(self.servers.values()))
        server.host.see_loaded(models, self.clock())

    async def chat(
        self,
        request: ChatRequest,
        on_text: OnText | None = None,
        on_swap: OnSwap | None = None,
        *,
        priority: Priority = Priority.INTERACTIVE,
    ) -> ChatResponse:
        """As Runtime.chat, when it is this call's turn; a deterministic call that was made before is not made again."""

        async def ask() -> ChatResponse:
            return await self._chat(request, on_text, on_swap, priority)

        key = self.once.key(request) if self.once is not None else None
        if self.once is None or key is None:
            return await ask()
        return await self.once.answer(key, ask, on_text, priority)

    async def embed(
        self, model: str, texts: Sequence[str], *, priority: Priority = Priority.INTERACTIVE
    ) -> EmbedResponse:
        """As Runtime.embed, when it is this call's turn, together with others that wait for the same model."""
        return await self._embeds.embed(model, texts, priority)

    async def _chat(
        self, request: ChatRequest, on_text: OnText | None, on_swap: OnSwap | None, priority: Priority
    ) -> ChatResponse:
        listener = Shown(on_text) if on_text is not None and len(self.servers) > 1 else None

        async def work(runtime: Runtime) -> ChatResponse:
            if listener is None:
                return await runtime.chat(request, on_text)
            listener.begin()
            return await runtime.chat(request, listener)

        ticket = Ticket(request.model, priority, self.clock(), _prefix(request, priority))
        return await self._served(ticket, on_swap, work)

    async def _embed(self, model: str, priority: Priority, take: Take) -> EmbedResponse:
        ticket = Ticket(model, priority, self.clock())
        answer = await self._served(ticket, None, lambda runtime: runtime.embed(model, take()))
        if self._on_embedded is not None:
            self._on_embedded(model, answer)
        return answer

    def dispatch(self) -> None:
        """Start all that may start now."""
        self._start()

    def _start(self) -> bool:
        """As `dispatch`; whether a call that waited for its turn was started."""
        now_s = self.clock()
        self._around.look(now_s)
        loads = started = False
        for grant in self.policy.decide(now_s):
            loads = loads or grant.loads
            waiting = grant.ticket.payload
            if waiting is None:
                grant.ticket.payload = grant
            elif not waiting.done():
                waiting.set_result(grant)
                started = True
            else:  # cancelled in the same moment
                self.policy.finish(grant.ticket, now_s)
                asyncio.get_running_loop().call_soon(self.dispatch)
        if loads:
            self._around.look(now_s, now=True)  # the others should know at once
        if self.policy.waiting:
            self._wake_later(now_s)
        return started

    def share(self, host: str, neighbours: Neighbours) -> None:
        """Mind what other processes do with the host, and tell them what this one does."""
        self._around.share(host, neighbours)

    async def aclose(self) -> None:
        """End what goes on in the background; the runtimes are the caller's."""
        if self._timer is not None:
            self._timer.cancel()
        self._around.close()
        for server in self.servers.values():
            if server.host.up:
                await server.release_done()
            await server.aclose()

    async def _served(
        self, ticket: Ticket, on_swap: OnSwap | None, work: Callable[[Runtime], Awaitable[Answer]]
    ) -> Answer:
        self.policy.submit(ticket, ticket.arrived_s)
        for tries in range(1, MOST_TRIES + 1):
            grant = await self._turn(ticket)
            began_s = self.clock()
            server = self.servers[grant.host.name]
            energy = self._energy.begin(self._others_at_work()) if self._energy is not None else 0.0
            joules: float | None = None
            answer: Answer | None = None
            try:
                answer = await self._asked(server, grant, on_swap, work)
            except SERVER_FAULTS as error:
                if not self._goes_elsewhere(server, ticket, error) or tries == MOST_TRIES:
                    raise
            finally:
                joules = self._energy.end(energy, self._others_at_work()) if self._energy is not None else None
                self.policy.finish(ticket, self.clock())
                server.ended()
                others = self._start()
            if answer is not None:
                if others:
                    await _give_way()
                return replace(answer, trip=_trip(grant, began_s - ticket.arrived_s, joules))
            ticket.payload = None
            self.policy.resubmit(ticket, self.clock())
        raise AssertionError("unreachable")

    def _others_at_work(self) -> int:
        return sum(server.host.others_at_work for server in self.servers.values())

    async def _turn(self, ticket: Ticket) -> Grant:
        """Wait for a slot. Raises RuntimeUnavailableError where no host that could give one is up."""
        self.dispatch()
        if isinstance(ticket.payload, Grant):
            return ticket.payload
        turn: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        ticket.payload = turn
        try:
            await self._check_up(ticket)
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.policy.finish(ticket, self.clock())  # granted in the same moment: give it back
            else:
                turn.cancel()
                self.policy.cancel(ticket)
            self.dispatch()
            raise

    async def _check_up(self, ticket: Ticket) -> None:
        """Where every host that has the model is down, ask them once more. Work of a batch waits until one is up."""
        able = that_have(list(self.servers.values()), ticket.model)
        if ticket.priority is Priority.BATCH or not able or any(server.host.up for server in able):
            return
        if not any([await server.probe() for server in able]):
            down = "; ".join(server.fault for server in able)
            raise RuntimeUnavailableError(down, next_step="See `nonet hosts`, or start the server again.")

    def _goes_elsewhere(self, server: Server, ticket: Ticket, error: NonetError) -> bool:
        """Whether a call that met a fault of its server is worth another try; opens the server's breaker."""
        server.open_breaker(error)
        if server.host.up:
            return False
        able = that_have(list(self.servers.values()), ticket.model)
        return ticket.priority is Priority.BATCH or any(other.host.up for other in able)

    async def _asked(
        self, server: Server, grant: Grant, on_swap: OnSwap | None, work: Callable[[Runtime], Awaitable[Answer]]
    ) -> Answer:
        """Make the call on its host, after what makes room for its model was let go."""
        model = grant.ticket.model
        server.keep(model, needed=self.policy.board.need(model) > 0)
        if grant.ticket.priority is Priority.INTERACTIVE:
            server.of_batches.discard(model)
        elif grant.loads:
            server.of_batches.add(model)
        if grant.pushed_out is not None:
            if on_swap is not None:
                on_swap(grant.pushed_out, model)
            await server.release(grant.pushed_out)
        answer = await work(server.runtime)
        self._measure(server, grant, answer.usage)
        return answer

    def _measure(self, server: Server, grant: Grant, usage: Usage) -> None:
        load_seconds = usage.load_seconds if grant.loads else 0.0
        self.policy.board.measured(
            grant.ticket,
            seconds=usage.seconds - usage.load_seconds,
            load_seconds=load_seconds,
            completion_tokens=usage.completion_tokens,
        )
        server.served(usage, surprised=usage.load_seconds > 0 and grant.ready)

    def _wake_later(self, now_s: float) -> None:
        """Decide again when time alone changes what may start."""
        at_s = self.policy.board.next_change_s(now_s)
        if at_s is None or (self._timer is not None and now_s < self._timer_at_s <= at_s + _TIMER_SLACK_SECONDS):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        delay_s = at_s - now_s + _TIMER_SLACK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.dispatch()


async def _give_way() -> None:
    """Let the calls that have just got their turn go out, before the work on an answer keeps the event loop busy.

    Once would let them go in between those answers that came in the same moment; twice, before all of them.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _trip(grant: Grant, wait_seconds: float, joules: float | None) -> Trip:
    return Trip(
        grant.host.name,
        wait_seconds=wait_seconds,
        pushed_out=grant.pushed_out or "",
        swap_avoided=grant.avoided,
        joules=joules,
    )


def _prefix(request: ChatRequest, priority: Priority) -> int:
    """What calls have in common that a server's prompt cache can use; 0: nothing worth going out of turn for."""
    system = request.messages[0].content if request.messages and request.messages[0].role == "system" else ""
    rest = request.messages[1 if system else 0 :]
    if rest and len(rest[0].content) >= _SHARED_CHARACTERS:
        return hash((system, rest[0].content[:_SHARED_CHARACTERS]))
    return hash(system) if system and priority is Priority.BATCH else 0
