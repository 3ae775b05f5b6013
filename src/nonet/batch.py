"""Batch queues from Python: the same queues, and the same promises, as `nonet batch`.

>>> import nonet
>>> with nonet.Queue("inbox", db=tmp / "queue.db", runtime="scripted") as queue:
...     added = queue.add_texts({"a": "The pump was replaced in May."}, workflow="summarization", task="Sum it up.")
...     report = queue.run()
...     [(job.document, str(job.status)) for job in queue.results()]
[('a', 'done')]
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from os import PathLike, fspath
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from nonet.graphs.batch import BatchReport
    from nonet.graphs.batch_events import OnBatchEvent
    from nonet.graphs.batch_work import Performed
    from nonet.graphs.events import OnEvent
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.settings import Settings
    from nonet.specialists import Specialist, SummaryOptions
    from nonet.store import Added, Job, JobRecord, Pace, QueueRecord, Store

OwnWork = Callable[[str, str], Awaitable[str]]
"""Given a document's name and text, its result; an error is a failed try."""


class Queue:
    """A durable queue of documents. Every one ends done or dead, with one result, whatever happens in between.

    Args:
        name: of the queue; it is made by the first `add`.
        settings: as in nonet.toml: `db="notes.db"`, `runtime="embedded"`.

    Raises:
        SettingsError, StoreError: as they say.
    """

    def __init__(self, name: str, **settings: Any) -> None:  # noqa: ANN401  any setting; Settings validates it
        from nonet.settings import load  # noqa: PLC0415  `import nonet` stays cheap
        from nonet.store import Store  # noqa: PLC0415

        self.name = name
        self._settings: Settings = load(settings).settings
        self._store: Store = Store.open(self._settings.database_path())

    def add(
        self,
        *inputs: str | PathLike[str],
        task: str | None = None,
        workflow: str | Workflow[Any] | None = None,
        options: SummaryOptions | None = None,
        keep: bool = False,
        priority: int = 0,
        delay_s: float = 0.0,
        again: bool = False,
    ) -> Added:
        """Add files, folders, globs and JSONL or CSV files of rows; what the queue has already is not added twice.

        Args:
            task: what to do with each; `{document}` stands for its name.
            workflow: "supervisor", which plans the task, the name of a specialist, or of a workflow of yours: as
                nonet.toml names it, "flows.py:triage", or the Workflow itself, if it stands in a file.
            options: with the workflow "summarization": how the summaries are to be.
            keep: keep runs, inputs and documents when a job is done.
            priority: higher goes first.
            delay_s: not before.
            again: a new job even for what the queue has.

        Raises:
            DocumentError: an input cannot be read; what came before it is in the queue.
            UsageError: options for another workflow than summarization.
        """
        from nonet.graphs.batch_add import add_jobs  # noqa: PLC0415
        from nonet.graphs.batch_inputs import InputOptions, read_inputs  # noqa: PLC0415

        jobs = read_inputs([fspath(each) for each in inputs], InputOptions(max_bytes=self._max_bytes()))
        work = self._work(task, workflow, options, keep=keep)
        return add_jobs(self._store, self.name, jobs, work=work, priority=priority, delay_s=delay_s, again=again)

    def add_texts(
        self,
        texts: Mapping[str, str],
        *,
        task: str | None = None,
        workflow: str | Workflow[Any] | None = None,
        options: SummaryOptions | None = None,
        keep: bool = False,
        again: bool = False,
    ) -> Added:
        """Add texts by their names. As `add`."""
        from nonet.graphs.batch_add import add_jobs  # noqa: PLC0415
        from nonet.store import NewJob  # noqa: PLC0415

        jobs = (
            NewJob(name, hashlib.sha256(f"{name}\0{text}".encode()).digest(), len(text.encode()), text=text)
            for name, text in texts.items()
        )
        work = self._work(task, workflow, options, keep=keep)
        return add_jobs(self._store, self.name, jobs, work=work, again=again)

    def run(
        self,
        work: OwnWork | None = None,
        *,
        specialists: Sequence[Specialist] = (),
        places: int | None = None,
        on_event: OnBatchEvent = lambda _event: None,
    ) -> BatchReport:
        """Work until the queue is empty. As many processes as you like may do so at the same time.

        Args:
            work: your own, in place of what the documents were added for.
            specialists: of yours, beside those that ship, those of nonet.toml and those of installed packs.
            places: documents in hand at once.
            on_event: told of each step (nonet.graphs.batch_events), on the thread that runs.

        Raises:
            NonetError: the work cannot go on; what is done is kept, and the rest waits.
            RuntimeError: called from a running event loop; await `arun` there.
        """
        return asyncio.run(self.arun(work, specialists=specialists, places=places, on_event=on_event))

    async def arun(
        self,
        work: OwnWork | None = None,
        *,
        specialists: Sequence[Specialist] = (),
        places: int | None = None,
        on_event: OnBatchEvent = lambda _event: None,
    ) -> BatchReport:
        """As `run`, in a running event loop."""
        if work is None:
            from nonet.graphs.batch_open import batch_of  # noqa: PLC0415
            from nonet.graphs.session import Session  # noqa: PLC0415

            async with await Session.open(self._settings, own=specialists) as session:
                return await batch_of(session, [self.name], places=places, on_event=on_event).run()
        from nonet.graphs.batch import Batch  # noqa: PLC0415
        from nonet.graphs.session import owner  # noqa: PLC0415

        return await Batch(
            self._store, self._own(work), owner(), [self.name], places=places or 8, on_event=on_event
        ).run()

    def _own(self, work: OwnWork) -> Callable[[Job, OnEvent], Awaitable[Performed]]:
        from nonet.graphs.batch_work import Performed, text_of  # noqa: PLC0415
        from nonet.store import JobOutput  # noqa: PLC0415

        async def perform(job: Job, _on_event: OnEvent) -> Performed:
            text = await asyncio.to_thread(text_of, self._store, job)
            return Performed(JobOutput("unverified", await work(job.document, text)))

        return perform

    def status(self) -> QueueRecord:
        """Its counts and settings. Raises QueueNotFoundError before anything was added."""
        return self._store.queues.get(self.name)

    def pace(self) -> Pace:
        """How fast it is lately, and how long it will take."""
        return self._store.queues.pace(self.name)

    def results(self) -> Iterator[JobRecord]:
        """The documents that are done or dead, in the order they were added, each once."""
        from nonet.store import JobStatus  # noqa: PLC0415

        return self._store.queues.jobs(self.name, (JobStatus.DONE, JobStatus.DEAD))

    def job(self, number: int) -> JobRecord:
        """All that is known of one job."""
        return self._store.queues.job(number)

    def configure(
        self, *, concurrency: int | None = None, max_attempts: int | None = None, max_bytes: int | None = None
    ) -> None:
        """Set what is given; a `concurrency` of 0 is no limit."""
        self._store.queues.configure(
            self.name, concurrency=concurrency, max_attempts=max_attempts, max_bytes=max_bytes
        ).result()

    def pause(self) -> None:
        """Begin no document of it until `resume`."""
        self._store.queues.configure(self.name, paused=True).result()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._store.queues.configure(self.name, paused=False).result()

    def retry(self, jobs: Sequence[int] | None = None) -> int:
        """Give dead documents, those named or all, their tries anew; how many."""
        return self._store.queues.retry(self.name, jobs)

    def cancel(self, jobs: Sequence[int] | None = None) -> int:
        """Take unfinished documents, those named or all, out of it; how many."""
        return self._store.queues.cancel(self.name, jobs)

    def purge(self, *, older_than_seconds: float | None = None) -> int:
        """Remove the queue and all its results, or only what ended longer ago; how many documents."""
        return self._store.queues.purge(self.name, older_than_seconds=older_than_seconds)[0]

    def close(self) -> None:
        """Close the database; twice is fine."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(
        self, task: str | None, workflow: str | Workflow[Any] | None, options: SummaryOptions | None, *, keep: bool
    ) -> str:
        from nonet.graphs.batch_work import Work  # noqa: PLC0415

        if workflow is not None:
            workflow = self._reference(workflow)
        given = {key: value for key, value in (("task", task), ("workflow", workflow)) if value is not None}
        return Work(**given, keep=keep, options=options).checked().to_json()

    def _reference(self, workflow: str | Workflow[Any]) -> str:
        """What a worker, here or elsewhere, finds it by. Raises UsageError for a workflow that it could not run."""
        from nonet.graphs import batch_workflow as found  # noqa: PLC0415

        if isinstance(workflow, str):
            if not found.is_workflow(workflow, self._settings.workflows):
                return workflow
            reference = found.reference_of(workflow, self._settings.workflows)
            found.input_for_documents(found.workflow_of(reference))
            return reference
        found.input_for_documents(workflow)
        return found.place_of(workflow)

    def _max_bytes(self) -> int:
        from nonet.store import MAX_DOCUMENT_BYTES  # noqa: PLC0415

        found = [queue.max_bytes for queue in self._store.queues.queues() if queue.name == self.name]
        return found[0] if found else MAX_DOCUMENT_BYTES
