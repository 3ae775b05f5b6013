"""Every error nonet raises on purpose, as one tree.

NonetError                   what happened, what was kept, what to do next
├── UsageError               the request itself cannot be taken (exit status 2)
│   ├── SettingsError        nonet.toml, the environment or a flag
│   ├── TaskError            the task: empty, too long
│   ├── DocumentError        a document: missing, binary, unreadable
│   ├── SpecialistError      a specialist of the user's: does not load, is none, or its name is taken
│   └── WorkflowError        a workflow of the user's: a cycle, an unknown name, a type that does not fit
│       └── ChangedWorkflowError     it is not the one that the run was started with
├── ResourceError            something needed is missing (exit status 3)
│   ├── RuntimeUnavailableError  no server answers, no embedded runtime installed
│   ├── ModelNotFoundError       the runtime does not have the model
│   ├── ModelDownloadError       a model could not be fetched or its hash is wrong
│   └── SandboxUnavailableError  no sandbox tier works on this machine
├── CallError                one call to a model went wrong (exit status 1)
│   ├── ContextOverflowError     the prompt does not fit the model's window
│   ├── IncompleteAnswerError    a stream without its end, an empty or degenerate answer
│   │   └── ServerLostError          the connection broke before the answer was whole
│   ├── CallTimeoutError         connect, first token or stall
│   ├── ToolServerError          an MCP server whose tools a specialist wants does not answer
│   ├── RuntimeBusyError         the server's queue is full, or it is loading
│   └── BadRequestError          the runtime refused the request
│       └── AccessRefusedError       it refuses whatever we ask: a missing key, a wrong address
├── BudgetSpentError         the run may make no more calls (exit status 1)
├── StoreError               the database (exit status 3)
│   ├── StoreCorruptError        damaged, or not a nonet database
│   ├── StoreWriteError          read-only, disk full
│   ├── RunNotFoundError         no such run (exit status 2)
│   ├── RunLeasedError           another process works on this run
│   ├── EvalNotFoundError    no such evaluation (exit status 2)
│   ├── QueueNotFoundError       no such queue, or no such job (exit status 2)
│   └── JobLostError             another worker has this job, or it was cancelled
├── WorkflowFailedError      a run of a workflow has no output (exit status 1)
└── PlanError                no valid plan (exit status 1)
"""

from __future__ import annotations

from typing import ClassVar


class NonetError(Exception):
    """Something went wrong in a way nonet knows.

    Args:
        message: what happened, in one sentence.
        kept: what was saved, where the user would worry.
        next_step: what to do now.
    """

    exit_status: ClassVar[int] = 1
    """What the command line exits with (the table is in docs/cli.md)."""

    def __init__(self, message: str, *, kept: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kept = kept
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, self.kept, self.next_step) if part)


class UsageError(NonetError):
    """The request itself cannot be taken."""

    exit_status = 2


class SettingsError(UsageError):
    """A setting in nonet.toml, the environment or a flag is wrong."""


class TaskError(UsageError):
    """The task is empty or too long."""


class DocumentError(UsageError):
    """A document is missing, binary, too large or unreadable."""


class SpecialistError(UsageError):
    """A specialist or tool of the user's does not load, is none, or its name is taken."""


class WorkflowError(UsageError):
    """A workflow cannot be: a cycle, an unknown name, a type that does not fit. The message names step and place."""


class ChangedWorkflowError(WorkflowError):
    """The workflow is not the one that the run was started with."""


class WorkflowFailedError(NonetError):
    """A run of a workflow has no output: a step failed, was not approved, or waits for approval."""


class ResourceError(NonetError):
    """Something the run needs is missing."""

    exit_status = 3


class RuntimeUnavailableError(ResourceError):
    """No server answers, or the embedded runtime is not installed."""


class ModelNotFoundError(ResourceError):
    """The runtime does not have the model."""


class ModelDownloadError(ResourceError):
    """A model could not be fetched, or its bytes are not the pinned ones."""


class SandboxUnavailableError(ResourceError):
    """No sandbox tier works on this machine, so no code is run."""


class CallError(NonetError):
    """One call to a model went wrong."""


class ContextOverflowError(CallError):
    """The prompt does not fit the model's window.

    Args:
        prompt_tokens: the prompt's size as counted by the runtime, 0 where unknown.
        window_tokens: the model's window, 0 where unknown.
    """

    def __init__(
        self, message: str, *, prompt_tokens: int = 0, window_tokens: int = 0, kept: str = "", next_step: str = ""
    ) -> None:
        super().__init__(message, kept=kept, next_step=next_step)
        self.prompt_tokens = prompt_tokens
        self.window_tokens = window_tokens


class IncompleteAnswerError(CallError):
    """The answer has no end, is empty, or degenerated; what arrived is in `partial`."""

    def __init__(self, message: str, *, partial: str = "", kept: str = "", next_step: str = "") -> None:
        super().__init__(message, kept=kept, next_step=next_step)
        self.partial = partial


class ServerLostError(IncompleteAnswerError):
    """The connection broke before the answer was whole."""


class CallTimeoutError(CallError):
    """The runtime did not connect, did not start to answer, or stalled."""


class ToolServerError(CallError):
    """An MCP server whose tools a specialist wants does not answer."""


class RuntimeBusyError(CallError):
    """The runtime's queue is full or it is still loading the model."""


class BadRequestError(CallError):
    """The runtime refused the request; asking again gives the same answer."""


class AccessRefusedError(BadRequestError):
    """The runtime refuses whatever it is asked: a key is missing or wrong, or something else answers there."""


class BudgetSpentError(NonetError):
    """The run has spent what it may: the call that was wanted was not made. What was finished is kept."""


class StoreError(NonetError):
    """The database cannot be used."""

    exit_status = 3


class StoreCorruptError(StoreError):
    """The file is damaged, or is not a nonet database."""


class StoreWriteError(StoreError):
    """The database cannot be written: read-only, or the disk is full."""


class RunNotFoundError(StoreError):
    """There is no such run."""

    exit_status = 2


class RunLeasedError(StoreError):
    """Another process is working on this run."""


class EvalNotFoundError(StoreError):
    """There is no such evaluation."""

    exit_status = 2


class QueueNotFoundError(StoreError):
    """There is no such queue, or no such job in it."""

    exit_status = 2


class JobLostError(StoreError):
    """Another worker has this job by now, or it was cancelled: what this one made of it is not kept."""


class SessionNotFoundError(StoreError):
    """There is no such session."""

    exit_status = 2


class PlanError(NonetError):
    """No valid plan could be made."""
