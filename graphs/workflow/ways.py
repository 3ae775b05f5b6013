"""The ways to run a workflow: to its end, as a stream, for many inputs; going on, forking, replaying.

Each comes twice: plain, for a script, a thread and a notebook, and async with a leading "a", for an event loop. Every
option stands in the signature, for an editor to complete.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from nonet.graphs.workflow import alone, streaming
from nonet.graphs.workflow.step import Step

if TYPE_CHECKING:
    from nonet.graphs.events import OnEvent
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.flow import AskPerson
    from nonet.graphs.workflow.result import WorkflowResult
    from nonet.graphs.workflow.streaming import StreamEvent
    from nonet.graphs.workflow.workflow import Workflow

T = TypeVar("T")
Inputs = Mapping[str, Any]
Files = Sequence[str | PathLike[str]]
Answers = bool | Mapping[str, bool]
BATCH_AT_ONCE = 8


class Runs(Generic[T]):
    """What a Workflow inherits."""

    @property
    def _workflow(self) -> Workflow[T]:
        return cast("Workflow[T]", self)

    def run(
        self,
        inputs: Inputs | None = None,
        *,
        documents: Files = (),
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401  any setting by its name; Settings validates it
    ) -> WorkflowResult[T]:
        """Run it to its end. In a notebook, or wherever an event loop runs, it works in a thread of its own.

        Args:
            inputs: by name.
            documents: files or folders that its retrieval steps search.
            approve: asked before each step with `approve`; without it the run is left "waiting".
            on_event: called with each step (nonet.graphs.events), on the thread of the run.
            settings: as in nonet.toml: `db="notes.db"`, `runtime="embedded"`, `max_calls=40`.

        Raises:
            WorkflowError: an input is missing, or is not of its type.
            NonetError: the run could not go on; what was finished is kept, and `resume` goes on.
        """
        given = {"documents": documents, "approve": approve, "on_event": on_event, **settings}
        return alone.finish(lambda: self.arun(inputs, **given))

    async def arun(
        self,
        inputs: Inputs | None = None,
        *,
        session: Session | None = None,
        documents: Files = (),
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> WorkflowResult[T]:
        """As `run`, in a running event loop; with a `session` that is open, in that one. Many may run at once."""
        from nonet.graphs.workflow import launch  # noqa: PLC0415

        async with alone.opened(self._workflow, session, settings) as opened:
            return await launch.start(
                opened, self._workflow, inputs or {}, documents=documents, ask=approve, on_event=on_event
            )

    def stream(self, inputs: Inputs | None = None, **options: Any) -> Iterator[StreamEvent[T]]:  # noqa: ANN401
        """Run it and give its events as they come; the last is a Done with the result. Options as for `run`."""
        return streaming.stream(lambda tell: self.arun(inputs, on_event=tell, **options))

    def astream(self, inputs: Inputs | None = None, **options: Any) -> AsyncIterator[StreamEvent[T]]:  # noqa: ANN401
        """As `stream`, in a running event loop. Leaving the loop early stops the run; it can be resumed."""
        return streaming.astream(lambda tell: self.arun(inputs, on_event=tell, **options))

    def batch(
        self,
        many: Iterable[Inputs],
        *,
        at_once: int = BATCH_AT_ONCE,
        **options: Any,  # noqa: ANN401
    ) -> list[WorkflowResult[T]]:
        """Run it for each of many inputs, `at_once` at a time; their results in the same order. Options as for `run`.

        For thousands of documents, and for runs that outlive a crash, put them into a queue (`nonet.Queue`).
        """
        return alone.finish(lambda: self.abatch(many, at_once=at_once, **options))

    async def abatch(
        self,
        many: Iterable[Inputs],
        *,
        session: Session | None = None,
        at_once: int = BATCH_AT_ONCE,
        documents: Files = (),
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> list[WorkflowResult[T]]:
        """As `batch`, in a running event loop."""
        async with alone.opened(self._workflow, session, settings) as opened:
            given: dict[str, Any] = {"documents": documents, "approve": approve, "on_event": on_event}
            return await alone.each(lambda inputs: self.arun(inputs, session=opened, **given), many, at_once)

    def resume(
        self,
        run: str,
        *,
        force: bool = False,
        answers: Answers | None = None,
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> WorkflowResult[T]:
        """Go on with a run that was interrupted, failed, or waits. Finished steps are not repeated.

        Args:
            run: its id, a beginning of it, or "last".
            force: go on though the workflow was changed: steps that did not, and read the same, stand.
            answers: what a person says of the steps that wait, by name; True or False for all of them.
            approve: asked where `answers` has none.
            on_event: as `run`.
            settings: as `run`; limits that are given take the place of the run's.

        Raises:
            ChangedWorkflowError: the workflow is not the one that was run; says what differs.
            RunNotFoundError, RunLeasedError: as they say.
        """
        given = {"force": force, "answers": answers, "approve": approve, "on_event": on_event, **settings}
        return alone.finish(lambda: self.aresume(run, **given))

    async def aresume(
        self,
        run: str,
        *,
        session: Session | None = None,
        force: bool = False,
        answers: Answers | None = None,
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> WorkflowResult[T]:
        """As `resume`, in a running event loop."""
        from nonet.graphs.budget import Limits  # noqa: PLC0415
        from nonet.graphs.workflow import launch  # noqa: PLC0415

        limits = Limits.of(settings)
        async with alone.opened(self._workflow, session, settings) as opened:
            return await launch.resume(
                opened, self._workflow, run, force=force, answers=answers, limits=limits, ask=approve, on_event=on_event
            )

    def fork(
        self,
        run: str,
        *,
        again: Sequence[str | Step[..., Any, Any]] = (),
        inputs: Inputs | None = None,
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> WorkflowResult[T]:
        """A new run from an old one, which stays as it is: what reads the very same is taken over.

        Args:
            run: its id, a beginning of it, or "last".
            again: steps to do again, with all that read them; failed ones are done again in any case.
            inputs: those that are to be others.
            approve: as `run`.
            on_event: as `run`.
            settings: as `run`; the models may be others than those of the first run.
        """
        given = {"again": again, "inputs": inputs, "approve": approve, "on_event": on_event, **settings}
        return alone.finish(lambda: self.afork(run, **given))

    async def afork(
        self,
        run: str,
        *,
        session: Session | None = None,
        again: Sequence[str | Step[..., Any, Any]] = (),
        inputs: Inputs | None = None,
        approve: AskPerson | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> WorkflowResult[T]:
        """As `fork`, in a running event loop."""
        from nonet.graphs.workflow import launch  # noqa: PLC0415

        names = [each if isinstance(each, str) else each.name for each in again]
        async with alone.opened(self._workflow, session, settings) as opened:
            return await launch.fork(
                opened, self._workflow, run, again=names, inputs=inputs, ask=approve, on_event=on_event
            )

    def replay(self, run: str, *, on_event: OnEvent | None = None, **settings: Any) -> WorkflowResult[T]:  # noqa: ANN401
        """Run its functions anew on what specialists said in an earlier run; no model is asked. It is a new run.

        A specialist's step that reads something else by now fails, and says so.
        """
        return alone.finish(lambda: self.areplay(run, on_event=on_event, **settings))

    async def areplay(
        self,
        run: str,
        *,
        session: Session | None = None,
        on_event: OnEvent | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> WorkflowResult[T]:
        """As `replay`, in a running event loop."""
        from nonet.graphs.workflow import launch  # noqa: PLC0415

        async with alone.opened(self._workflow, session, settings) as opened:
            return await launch.fork(opened, self._workflow, run, replay=True, on_event=on_event)
