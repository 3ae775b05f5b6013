"""Turns to start: how many runs plan at once, and when the next may."""

from __future__ import annotations

import asyncio

from nonet.graphs.turns import STARTING_AT_ONCE, Turn, Turns


async def starter(turns: Turns, started: asyncio.Queue[int], number: int, leave: asyncio.Event) -> None:
    async with turns.take() as turn:
        started.put_nowait(number)
        await HOW_TO_END[number % len(HOW_TO_END)](turn, leave)


async def by_its_first_call(turn: Turn, leave: asyncio.Event) -> None:
    turn.end()
    turn.end()  # a second call ends nothing more
    await leave.wait()


async def by_its_plan(turn: Turn, leave: asyncio.Event) -> None:
    turn.end_soon()
    await leave.wait()


async def by_leaving(turn: Turn, leave: asyncio.Event) -> None:
    del turn, leave


HOW_TO_END = (by_its_first_call, by_its_plan, by_leaving)


async def test_a_run_waits_for_those_that_plan_however_their_turns_end() -> None:
    turns, leave = Turns(), asyncio.Event()
    started: asyncio.Queue[int] = asyncio.Queue()
    held = [turns.take() for _ in range(STARTING_AT_ONCE)]
    first = [await turn.__aenter__() for turn in held]
    tasks = [asyncio.create_task(starter(turns, started, number, leave)) for number in range(9)]
    await asyncio.sleep(0)
    assert started.empty()
    first[0].end()
    assert [await started.get() for _ in tasks] == list(range(9))  # first come, first served
    leave.set()
    await asyncio.gather(*tasks)
    for turn in held:
        await turn.__aexit__(None, None, None)
    assert not turns.gate.locked()
