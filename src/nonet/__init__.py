"""nonet: several small language models, one dependable system.

    >>> import nonet
    >>> result = nonet.run("Write a Python function `double(x)`.", runtime="scripted", db=tmp / "first.db")
    >>> result.status
    'done'

Importing this package loads none of its rooms; each name is found where it lives at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nonet.api import run
    from nonet.batch import Queue
    from nonet.documents import add_documents, embed_documents, search
    from nonet.errors import NonetError
    from nonet.graphs.ask import ask_specialist
    from nonet.graphs.conversation import Conversation
    from nonet.graphs.documents import AddReport
    from nonet.graphs.finding import EmbedReport
    from nonet.graphs.fork import fork_run, retry_bigger
    from nonet.graphs.result import RunResult
    from nonet.graphs.run import plan_task, resume_run, run_task
    from nonet.graphs.searching import Found
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.decorator import step
    from nonet.graphs.workflow.result import WorkflowResult
    from nonet.graphs.workflow.runnable import runnable
    from nonet.graphs.workflow.step import Step
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.settings import Settings
    from nonet.specialists import Assignment, Evidence, SummaryOptions, Verdict
    from nonet.specialists.define import specialist
    from nonet.specialists.mcp_tools import McpServer
    from nonet.specialists.own import PromptSpecialist

__version__ = "0.1.0"

_HOMES = {
    "AddReport": "nonet.graphs.documents",
    "Conversation": "nonet.graphs.conversation",
    "EmbedReport": "nonet.graphs.finding",
    "Found": "nonet.graphs.searching",
    "NonetError": "nonet.errors",
    "Queue": "nonet.batch",
    "RunResult": "nonet.graphs.result",
    "Session": "nonet.graphs.session",
    "Settings": "nonet.settings",
    "McpServer": "nonet.specialists.mcp_tools",
    "PromptSpecialist": "nonet.specialists.own",
    "specialist": "nonet.specialists.define",
    "Assignment": "nonet.specialists",
    "Evidence": "nonet.specialists",
    "SummaryOptions": "nonet.specialists",
    "Step": "nonet.graphs.workflow.step",
    "Verdict": "nonet.specialists",
    "Workflow": "nonet.graphs.workflow.workflow",
    "WorkflowResult": "nonet.graphs.workflow.result",
    "add_documents": "nonet.documents",
    "ask_specialist": "nonet.graphs.ask",
    "embed_documents": "nonet.documents",
    "fork_run": "nonet.graphs.fork",
    "plan_task": "nonet.graphs.run",
    "resume_run": "nonet.graphs.run",
    "retry_bigger": "nonet.graphs.fork",
    "run": "nonet.api",
    "run_task": "nonet.graphs.run",
    "runnable": "nonet.graphs.workflow.runnable",
    "search": "nonet.documents",
    "step": "nonet.graphs.workflow.decorator",
}

__all__ = [
    "AddReport",
    "Assignment",
    "Conversation",
    "EmbedReport",
    "Evidence",
    "Found",
    "McpServer",
    "NonetError",
    "PromptSpecialist",
    "Queue",
    "RunResult",
    "Session",
    "Settings",
    "Step",
    "SummaryOptions",
    "Verdict",
    "Workflow",
    "WorkflowResult",
    "add_documents",
    "ask_specialist",
    "embed_documents",
    "fork_run",
    "plan_task",
    "resume_run",
    "retry_bigger",
    "run",
    "run_task",
    "runnable",
    "search",
    "specialist",
    "step",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'nonet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
