"""Runs of a workflow that LangGraph drives, step by step: opened at the first node, let go when the last one ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from nonet.errors import NonetError, StoreError, WorkflowFailedError
from nonet.graphs.drive import close, stop
from nonet.graphs.workflow import changed, launch, opening, sessions
from nonet.graphs.workflow.alone import own_specialists
from nonet.graphs.workflow.engine import run_steps
from nonet.graphs.workflow.flow import Approval, Flow, State, Value
from nonet.graphs.workflow.outputs import output_of
from nonet.graphs.workflow.performing import Scope, perform
from nonet.specialists import Verdict

if TYPE_CHECKING:
    from nonet.graphs.events import Event
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.workflow import Workflow

RUN, OUTPUT = "run", "output"
"""Keys of the state of every compiled workflow."""
IDLE_SECONDS = 30.0
"""How long a run is held between two of its nodes."""


def input_keys(workflow: Workflow[Any]) -> dict[str, str]:
    """By input: its key in the state of the graph."""
    taken = {RUN, OUTPUT, *(f"{name}_ref" for name in workflow.checked().steps)}
    return {name: f"in_{name}" if name in taken else name for name in workflow.inputs}


@dataclass(slots=True)
class _Live:
    """A run that is held here."""

    flow: Flow
    values: dict[str, Value]
    loop: asyncio.AbstractEventLoop
    heart: asyncio.Task[None]
    at_work: int = 0
    idle: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class LiveRuns:
    """Those of one compiled workflow."""

    workflow: Workflow[Any]
    session: Session | None
    settings: Mapping[str, Any]
    _runs: dict[str, _Live] = field(default_factory=dict)
    _opening: dict[str, asyncio.Future[_Live]] = field(default_factory=dict)

    async def begin(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Start a run with these inputs; its id."""
        inputs = self._inputs(given)
        session = await self._session()
        async with session.turns.take() as turn:
            flow, values = await opening.begun(
                session, self.workflow, inputs, turn, ask=_interrupted, on_event=_written
            )
        await flow.kept()
        self._hold(flow, values)
        return {"run": flow.context.run}

    def _inputs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: given[key] for name, key in input_keys(self.workflow).items() if key in given}

    async def perform(self, run: str, name: str) -> str:
        """Do one step of the run; where its output is kept, "" for a step that was skipped.

        Raises:
            WorkflowFailedError: the step failed; a resume of the graph tries it again.
        """
        live = await self._of(run)
        live.at_work += 1
        try:
            checked = self.workflow.checked()
            scope = Scope(live.values, "", frozenset(checked.steps), run_steps)
            value = await perform(live.flow, checked.steps[name], scope)
        except BaseException as error:
            await self._let_go(run, error)
            raise
        finally:
            live.at_work -= 1
        live.values[name] = value
        if value.state is State.FAILED:
            failed = self._failed(run, live)
            await self._let_go(run, failed)
            raise failed
        self._rest(run, live)
        return f"{run}.{name}" if value.state is State.DONE else ""

    def _failed(self, run: str, live: _Live) -> WorkflowFailedError:
        return WorkflowFailedError(
            f"The run {run} of the workflow {self.workflow.name!r} failed: {'; '.join(live.flow.missing)}.",
            kept="What was finished is kept.",
            next_step="With a checkpointer, invoke the graph again with None to try the step again.",
        )

    async def finish(self, run: str) -> dict[str, Any]:
        """Close the run; its output, as a JSON value: it stands in a checkpoint, which holds no objects."""
        live = await self._of(run)
        self._forget(run, live)
        status, state = launch.ended_of(live.flow, self.workflow, live.values)
        live.flow.close()
        await live.flow.context.all_told()
        await close(live.flow.context, status, state)
        return {OUTPUT: output_of(self.workflow.checked(), live.values).as_json()}

    async def _session(self) -> Session:
        if self.session is not None:
            return self.session
        return await sessions.shared(self.settings, tuple(own_specialists(self.workflow).values()))

    def _hold(self, flow: Flow, values: Mapping[str, Value]) -> _Live:
        run = flow.context.run
        heart = asyncio.ensure_future(self._beat(flow))
        live = _Live(flow, dict(values), asyncio.get_running_loop(), heart)
        self._runs[run] = live
        self._rest(run, live)
        return live

    async def _beat(self, flow: Flow) -> None:
        """Keep the lease for as long as the run is held; who lost it finds that out at its next write."""
        with suppress(StoreError):
            async with flow.context.session.store.runs.heartbeat(flow.context.lease):
                await asyncio.Event().wait()

    async def _of(self, run: str) -> _Live:
        """The run, held here; after a restart, with all that was finished of it."""
        live = self._runs.get(run)
        if live is not None and live.loop.is_closed():  # it was cut off there, and its session is closed
            del self._runs[run]
        elif live is not None:
            if live.idle is not None:
                live.idle.cancel()
            return live
        if run not in self._opening:
            self._opening[run] = asyncio.ensure_future(self._taken_up(run))
        try:
            return await asyncio.shield(self._opening[run])
        finally:
            self._opening.pop(run, None)

    async def _taken_up(self, run: str) -> _Live:
        session = await self._session()
        found = session.store.runs.get(run)
        differs = changed.changes(self.workflow, found, {each.id: each for each in found.subtasks})
        if differs:
            raise changed.changed_error(self.workflow, found, differs)
        async with session.turns.take() as turn:
            flow, values = await opening.taken_up(
                session, self.workflow, found, turn, ask=_interrupted, on_event=_written
            )
        records = flow.context.finished
        for name in self.workflow.checked().steps:
            if name in records and records[name].verdict != Verdict.FAILED:
                values[name] = launch.kept_value(self.workflow, name, records)
                flow.context.records[name] = records[name]
        return self._hold(flow, values)

    def _rest(self, run: str, live: _Live) -> None:
        """Nothing of it is at work: it is given back if LangGraph does not come again soon."""
        if live.idle is not None:
            live.idle.cancel()
        loop = asyncio.get_running_loop()
        live.idle = loop.call_later(IDLE_SECONDS, lambda: loop.create_task(self._give_back(run)))

    async def _give_back(self, run: str) -> None:
        live = self._runs.get(run)
        if live is not None and not live.at_work:
            await self._let_go(run, NonetError("its graph did not go on"))

    async def _let_go(self, run: str, error: BaseException) -> None:
        live = self._runs.get(run)
        if live is None:
            return
        self._forget(run, live)
        live.flow.close()
        await stop(live.flow.context, error)

    def _forget(self, run: str, live: _Live) -> None:
        self._runs.pop(run, None)
        live.heart.cancel()
        if live.idle is not None:
            live.idle.cancel()


async def _interrupted(approval: Approval) -> bool:
    """Ask as LangGraph does: the graph stops, and goes on with Command(resume=True or False)."""
    from langgraph.types import interrupt  # noqa: PLC0415

    inputs = to_jsonable_python(dict(approval.inputs), serialize_unknown=True)  # it stands in a checkpoint
    return bool(interrupt({"step": approval.step, "question": approval.question, "inputs": inputs}))


def _written(event: Event) -> None:
    """To who streams the graph with stream_mode="custom"."""
    from langgraph.config import get_stream_writer  # noqa: PLC0415

    try:
        write = get_stream_writer()
    except (RuntimeError, KeyError):  # not within a node
        return
    write(event)
