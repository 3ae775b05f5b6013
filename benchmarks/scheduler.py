"""How well the scheduler orders calls, on a simulated server and on a fake Ollama server in real time.

    python benchmarks/scheduler.py [--documents 200] [--queued 100000] [--no-live]

All but the last three tables run on a discrete-event clock with the policy that serves live calls. The lower bound is
the work plus the loads that no order can save. "First come" is the same server without a scheduler, with a worker a
slot that takes its documents from stage to stage; "first come, flooded" gets all documents at once.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time

from scheduler_live import live_hosts, live_processes, live_stages
from simulated import (
    Call,
    Simulation,
    Speeds,
    Stage,
    feed,
    least_limit_s,
    lower_bound_s,
    table,
    two_hosts_bound_s,
)

from nonet.runtimes import ChatRequest, ChatResponse, EmbedResponse, Message, ModelInfo, OnText, TokenCount
from nonet.runtimes.board import Board, Limits
from nonet.runtimes.hosts import Host
from nonet.runtimes.lines import Priority, Ticket
from nonet.runtimes.policy import Policy
from nonet.runtimes.scheduler import Scheduler

SPEEDS = Speeds()
MODELS = ("A", "B", "C")
DRAWN = 5000
BUSY = 0.7


def uniform() -> list[Stage]:
    """Three stages alike: 400 tokens of prompt, 40 of answer, 2 s."""
    seconds = SPEEDS.call_s(400, 40)
    return [Stage(model, lambda _: seconds) for model in MODELS]


def skewed() -> list[Stage]:
    """A long first stage, a second for half of the documents, a short third; lengths vary eightfold."""

    def varied(prompt: int, answer: int, at: int) -> Stage:
        chance = random.Random(at)
        factors = [chance.uniform(0.25, 2) for _ in range(DRAWN)]
        drawn = [SPEEDS.call_s(round(prompt * factor), round(answer * factor)) for factor in factors]
        return Stage(MODELS[at], lambda number: drawn[number % DRAWN], 0.5 if at == 1 else 1.0)

    return [varied(1600, 60, 0), varied(400, 40, 1), varied(100, 10, 2)]


SHAPES = {"uniform": uniform, "skewed": skewed}


def batch(
    shape: str, documents: int, hosts: list[Host], *, fcfs: bool = False, at_once: int = 0, kill_s: float = 0.0
) -> tuple[Simulation, float]:
    """The finished simulation, and the seconds of work in it."""
    simulation = Simulation.of(hosts, SPEEDS.load_s, fcfs=fcfs)
    work_s = feed(simulation, SHAPES[shape](), documents, at_once=at_once)
    if kill_s:
        simulation.at(kill_s, lambda: simulation.kill(hosts[-1].name))
    simulation.run()
    return simulation, work_s


def bar_1(documents: int) -> None:
    """Makespan and loads."""
    rows = []
    for shape in SHAPES:
        for room in (1, 2, 3):
            for slots in (1, 2, 4, 8):
                ours, work_s = batch(shape, documents, [Host("h", slots, room)])
                theirs, _ = batch(shape, documents, [Host("h", slots, room)], fcfs=True, at_once=slots)
                flooded, _ = batch(shape, documents, [Host("h", slots, room)], fcfs=True)
                some, _ = batch(shape, documents, [Host("h", slots, room)], at_once=4 * slots)
                bound_s = lower_bound_s(work_s, models=3, slots=slots, room=room, load_s=SPEEDS.load_s)
                rows.append(
                    [
                        *(shape, room, slots, f"{bound_s:.0f}"),
                        *(f"{ours.now_s:.0f}", f"{ours.now_s / bound_s:.3f}", ours.loads),
                        *(f"{theirs.now_s:.0f}", theirs.loads, f"{theirs.loads / ours.loads:.1f}x"),
                        *(f"{flooded.now_s:.0f}", flooded.loads, f"{some.now_s / bound_s:.2f}", some.loads),
                        *(f"{longest_unserved_s(ours):.0f}", f"{ours.idle_slot_s:.1f}"),
                    ]
                )
    print(f"\n### {documents} documents, 3 stages, 3 models, {SPEEDS.load_s:g} s a load\n")
    head = "stages, room, slots, lower bound s, nonet s, of bound, loads, first come s, loads, fewer loads"
    head += ", flooded s, loads, 4 a slot in flight of bound, loads, longest unserved s, idle slot s"
    table(head.split(", "), rows)


def longest_unserved_s(simulation: Simulation) -> float:
    """The longest time for which a model had a call waiting and got no turn."""
    worst_s = 0.0
    for model in {call.model for call in simulation.done}:
        last_s = 0.0
        for call in sorted((call for call in simulation.done if call.model == model), key=lambda call: call.began_s):
            worst_s = max(worst_s, call.began_s - max(last_s, call.arrived_s))
            last_s = call.began_s
    return worst_s


def bar_2(documents: int) -> None:
    """Interactive calls amid a full batch, and the waiting limit under a load of 70 %."""
    rows = []
    for room in (1, 2, 3):
        for slots in (1, 2, 4, 8):
            waits_s, in_flight_s = interactive_waits(documents, slots, room)
            allowed_s = in_flight_s + SPEEDS.load_s
            rows.append(
                [room, slots, len(waits_s), f"{max(waits_s):.1f}", f"{allowed_s:.1f}", max(waits_s) <= allowed_s]
            )
    print("\n### Interactive calls, one at a time, amid a full skewed batch\n")
    table(["room", "slots", "calls", "longest wait s", "longest in-flight call + load s", "within"], rows)
    rows = []
    for limit_s in (60.0, 120.0, 600.0):
        for room in (1, 2):
            waits_s, unserved_s, loads, hours = steady(limit_s, room)
            rows.append(
                [
                    f"{limit_s:.0f}",
                    room,
                    len(waits_s),
                    f"{hours:.1f}",
                    loads,
                    f"{unserved_s:.0f}",
                    f"{max(waits_s):.0f}",
                    f"{least_limit_s(BUSY, models=3, slots=2, room=room, load_s=SPEEDS.load_s):.0f}",
                ]
            )
    print(f"\n### Calls of 3 models that come at random, at {BUSY:.0%} of what 2 slots can do\n")
    head = "limit s, room, calls, hours, loads, longest unserved s, longest wait s, least limit that can be kept s"
    table(head.split(", "), rows)


def interactive_waits(documents: int, slots: int, room: int) -> tuple[list[float], float]:
    """How long each of 20 interactive calls waited for its first token, and the longest in-flight call of the batch.

    A call in flight may have had to load its model first, for example after the interactive call before this one.
    """
    simulation = Simulation.of([Host("h", slots, room)], SPEEDS.load_s)
    feed(simulation, skewed(), documents)
    chance = random.Random(slots * 10 + room)
    asked = [Call(chance.choice("ABCD"), 2.0, Priority.INTERACTIVE) for _ in range(20)]

    def ask(number: int) -> None:
        if number < len(asked):
            asked[number].then = lambda now_s: simulation.at(now_s + chance.uniform(0, 20), lambda: ask(number + 1))
            simulation.submit(asked[number])

    simulation.at(20.0, lambda: ask(0))
    simulation.run()
    longest_s = max(call.ended_s - call.began_s for call in simulation.done if call.priority is Priority.BATCH)
    return [call.began_s - call.arrived_s + (SPEEDS.load_s if call.loads else 0.0) for call in asked], longest_s


def steady(limit_s: float, room: int, calls: int = 6000) -> tuple[list[float], float, int, float]:
    simulation = Simulation.of([Host("h", 2, room)], SPEEDS.load_s, Limits(batch_seconds=limit_s))
    chance, at_s = random.Random(7), 0.0
    for _ in range(calls):
        at_s += chance.expovariate(BUSY)  # calls of 2 s on the average, and 2 slots
        model, seconds = chance.choice(MODELS), chance.uniform(0.5, 3.5)
        simulation.at(at_s, lambda model=model, seconds=seconds: simulation.submit(Call(model, seconds)))
    simulation.run()
    waits_s = [call.began_s - call.arrived_s for call in simulation.done]
    return waits_s, longest_unserved_s(simulation), simulation.loads, simulation.now_s / 3600


def bar_3(documents: int) -> None:
    """Two hosts, and one of them killed in the middle."""
    rows = []
    for factor in (1, 5):
        for slots in (1, 2, 4, 8):
            many = documents * factor
            alone, _ = batch("uniform", many, [Host("h0", slots, 1)])
            both, _ = batch("uniform", many, [Host("h0", slots, 1), Host("h1", slots, 1)])
            kill_s = both.now_s / 2
            killed, work_s = batch("uniform", many, [Host("h0", slots, 1), Host("h1", slots, 1)], kill_s=kill_s)
            again = sum(call.runs - 1 for call in killed.done)
            call_s = work_s / (many * len(MODELS))
            bound_s = two_hosts_bound_s(work_s, slots=slots, load_s=SPEEDS.load_s, call_s=call_s)
            rows.append(
                [
                    *(many, slots, f"{alone.now_s:.0f}", f"{both.now_s:.0f}", f"{alone.now_s / both.now_s:.2f}x"),
                    *(f"{bound_s:.0f}", f"{both.now_s / bound_s:.3f}", f"{alone.now_s / bound_s:.2f}x", both.loads),
                    *(f"{killed.now_s:.0f}", 3 * many - len(killed.done), again, f"{killed.lost_s:.1f}"),
                    f"{killed.lost_s / work_s:.2%}",
                ]
            )
    print("\n### Two hosts of room 1, uniform stages\n")
    head = "documents, slots, one host s, two hosts s, speed-up, lower bound s, of bound, most speed-up, loads"
    head += ", one killed half-way s, lost calls, made again, lost work s, of all"
    table(head.split(", "), rows)


def bar_4(queued: int) -> None:
    """CPU a call of the policy, and of the whole live scheduler with a runtime that answers at once."""
    rows = []
    for calls in (1_000, 10_000, queued):
        policy = policy_cpu_us(calls)
        live = asyncio.run(live_cpu_us(calls))
        rows.append([f"{calls:,}", f"{policy:.1f}", f"{live:.1f}"])
    print("\n### CPU a call\n")
    table(["queued calls", "policy us", "live scheduler us"], rows)


def policy_cpu_us(calls: int) -> float:
    """Take in all, then decide and end each: 2 hosts, 6 models, both priorities, prefixes."""
    policy = Policy(Board({name: Host(name, 4, 2) for name in ("h1", "h2")}))
    tickets = [Ticket(f"m{n % 6}", Priority(n % 7 == 0 or 0), 0.0, n % 50) for n in range(calls)]
    began = time.process_time()
    for ticket in tickets:
        policy.submit(ticket, 0.0)
    now_s, running, done = 0.0, [], 0
    while done < calls:
        running += policy.decide(now_s)
        now_s += 0.5
        grant = running.pop(0)
        policy.finish(grant.ticket, now_s)
        policy.board.measured(grant.ticket, seconds=0.5, load_seconds=0.0, completion_tokens=20)
        done += 1
    return (time.process_time() - began) / calls * 1e6


class InstantRuntime:
    """Answers at once."""

    name = "instant"

    async def chat(self, request: ChatRequest, _on_text: OnText | None = None) -> ChatResponse:
        await asyncio.sleep(0)
        return ChatResponse("yes", request.model)

    async def embed(self, _model: str, texts: list[str]) -> EmbedResponse:
        return EmbedResponse(tuple((1.0,) for _ in texts))

    async def models(self) -> tuple[ModelInfo, ...]:
        return ()

    async def describe(self, model: str) -> ModelInfo:
        return ModelInfo(model, 4096)

    async def count_tokens(self, _model: str, _messages: list[Message]) -> TokenCount:
        return TokenCount(1, exact=True)

    async def aclose(self) -> None: ...


async def live_cpu_us(calls: int) -> float:
    scheduler = Scheduler(InstantRuntime(), slots=8, max_loaded=2)
    requests = [ChatRequest(f"m{n % 6}", (Message("user", f"hello {n}"),)) for n in range(calls)]
    began = time.process_time()
    await asyncio.gather(*(scheduler.chat(request, priority=Priority.BATCH) for request in requests))
    used = time.process_time() - began
    began = time.process_time()
    await asyncio.gather(*(InstantRuntime().chat(request) for request in requests))
    return (used - (time.process_time() - began)) / calls * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--queued", type=int, default=100_000)
    parser.add_argument("--no-live", action="store_true", help="only the simulated clock")
    options = parser.parse_args()
    began = time.perf_counter()
    bar_1(options.documents)
    bar_2(options.documents)
    bar_3(options.documents)
    bar_4(options.queued)
    if not options.no_live:
        asyncio.run(live_stages())
        asyncio.run(live_hosts())
        asyncio.run(live_processes())
    print(f"\nAll of it took {time.perf_counter() - began:.0f} s.")


if __name__ == "__main__":
    main()
