"""How well the scheduler orders calls, on a simulated server and on a fake Ollama server in real time.

    python benchmarks/scheduler.py [--documents 200] [--live]

Everything but the last two tables runs on a discrete-event clock with the policy that serves live calls. The lower
bound is the work plus the loads that no order can save; "first come" is the same server without a scheduler.
"""

from __future__ import annotations

import argparse
import random

from simulated import Simulation, Speeds, Stage, as_row, feed, lower_bound_s

from nonet.runtimes.hosts import Host

SPEEDS = Speeds()
MODELS = ("A", "B", "C")


def uniform() -> list[Stage]:
    """Three stages alike: 400 tokens of prompt, 40 of answer, 2 s."""
    seconds = SPEEDS.call_s(400, 40)
    return [Stage(model, lambda _: seconds) for model in MODELS]


def skewed() -> list[Stage]:
    """A long first stage, a second for half of the documents, a short third; lengths vary eightfold."""

    def varied(prompt: int, answer: int, seed: int) -> Stage:
        chance = random.Random(seed)
        drawn = [SPEEDS.call_s(round(prompt * (f := chance.uniform(0.25, 2))), round(answer * f)) for _ in range(5000)]
        return Stage(MODELS[seed], lambda number: drawn[number % len(drawn)], 0.5 if seed == 1 else 1.0)

    return [varied(1600, 60, 0), varied(400, 40, 1), varied(100, 10, 2)]


SHAPES = {"uniform": uniform, "skewed": skewed}


def one(
    shape: str, documents: int, *, slots: int, room: int, fcfs: bool, hosts: int = 1, at_once: int = 0
) -> tuple[Simulation, float]:
    servers = [Host(f"h{number}", slots, room) for number in range(hosts)]
    simulation = Simulation.of(servers, SPEEDS.load_s, fcfs=fcfs)
    work_s = feed(simulation, SHAPES[shape](), documents, at_once=at_once)
    simulation.run()
    assert {call.runs for call in simulation.done} == {1}
    return simulation, work_s


def swaps_and_makespan(documents: int) -> None:
    print(f"\n## {documents} documents, 3 stages, 3 models, {SPEEDS.load_s:g} s a load\n")
    print(
        as_row(
            [
                "stages",
                "room",
                "slots",
                "lower bound s",
                "nonet s",
                "of bound",
                "first come s",
                "loads",
                "first come loads",
                "fewer",
                "first come, all at once: s",
                "loads",
                "longest unserved s",
                "idle slot s",
            ]
        )
    )
    print("|---|" + "---:|" * 13)
    for shape in SHAPES:
        for room in (1, 2, 3):
            for slots in (1, 2, 4, 8):
                ours, work_s = one(shape, documents, slots=slots, room=room, fcfs=False)
                theirs, _ = one(shape, documents, slots=slots, room=room, fcfs=True, at_once=slots)
                flood, _ = one(shape, documents, slots=slots, room=room, fcfs=True)
                bound_s = lower_bound_s(work_s, models=3, slots=slots, room=room, load_s=SPEEDS.load_s)
                print(
                    as_row(
                        [
                            shape,
                            room,
                            slots,
                            f"{bound_s:.0f}",
                            f"{ours.now_s:.0f}",
                            f"{ours.now_s / bound_s:.3f}",
                            f"{theirs.now_s:.0f}",
                            ours.loads,
                            theirs.loads,
                            f"{theirs.loads / ours.loads:.1f}x",
                            f"{flood.now_s:.0f}",
                            flood.loads,
                            f"{longest_unserved_s(ours):.0f}",
                            f"{ours.idle_slot_s:.1f}",
                        ]
                    )
                )


def longest_unserved_s(simulation: Simulation) -> float:
    """The longest time for which a model had a call waiting and got no turn."""
    worst = 0.0
    for model in MODELS:
        calls = sorted((call for call in simulation.done if call.model == model), key=lambda call: call.began_s)
        last_s = 0.0
        for call in calls:
            worst = max(worst, call.began_s - max(last_s, call.arrived_s))
            last_s = call.began_s
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200)
    options = parser.parse_args()
    swaps_and_makespan(options.documents)
