"""The commands of the session, each told once: what it does, how it is written, what completes it, who does it."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    usage: str
    """What follows the name; empty where nothing does."""
    summary: str
    examples: tuple[str, ...]
    handler: str
    """`module:function` of this package; it takes the desk (or the terminal's side, with `here`) and the words."""
    completes: tuple[str, ...] = ()
    """What its words may be: kinds of names ("runs", "models", "files", ...) and, with "=", words themselves."""
    here: bool = False
    """Done by the terminal's side."""
    at_once: bool = False
    """Only looks, or changes what is to come: it need not wait for the task at work."""
    works_as: str = ""
    """What does the same from a shell."""

    def load(self) -> Callable[..., Any]:
        """The function that does it."""
        module, _, function = self.handler.partition(":")
        loaded: Callable[..., Any] = getattr(importlib.import_module(f"nonet.repl.{module}"), function)
        return loaded


COMMANDS: tuple[Command, ...] = (
    Command(
        "help", "[COMMAND]", "What can be said here, or all about one command.", ("/help", "/help export"),
        "here:help_", ("commands",), here=True, works_as="nonet --help",
    ),
    Command(
        "plan", "[TASK | approve | refuse | drop s2 | reroute s2 SPECIALIST | reword s2 TEXT]",
        "Plan a task and wait; show, change, approve or refuse that plan.",
        ("/plan Find the pump's number, then write a function that checks it.", "/plan drop s2", "/plan approve"),
        "on_plan:plan", ("=approve|refuse|drop|reroute|reword", "specialists"), works_as="nonet run TASK --approve",
    ),
    Command(
        "run", "[TASK]", "Run a task as it stands, not as a follow-up; without one, the plan that waits.",
        ("/run", "/run Summarize it all in one sentence."), "on_plan:run", ("files",), works_as="nonet run TASK",
    ),
    Command(
        "why", "[RUN]", "Why the last answer may be believed: checks, sources, models, prompts, escalations.",
        ("/why", "/why k3j2"), "on_looks:why", ("runs",), at_once=True, works_as="nonet runs show RUN",
    ),
    Command(
        "retry", "[bigger] [RUN]", "Do again what is not verified; `bigger`: by larger models.",
        ("/retry", "/retry bigger"), "on_again:retry", ("=bigger", "runs"), works_as="nonet runs fork RUN --bigger",
    ),
    Command(
        "fork", "[RUN] [s2... | drop s2 | reroute s2 SPECIALIST | reword s2 TEXT]",
        "A new run from an old one: parts done again, or the plan changed; the rest is taken over.",
        ("/fork s2", "/fork k3j2 reword s2 In three sentences."), "on_again:fork",
        ("runs", "=drop|reroute|reword", "specialists"), works_as="nonet runs fork RUN --again s2",
    ),
    Command(
        "undo", "", "Forget the last run in this session; it stays among the runs.", ("/undo",), "on_again:undo",
    ),
    Command(
        "resume", "[RUN]", "Go on with a run that was stopped; what is finished is not repeated.",
        ("/resume", "/resume k3j2"), "on_runs:resume", ("runs",), works_as="nonet runs resume [RUN]",
    ),
    Command(
        "runs", "[RUN | HOW MANY]", "The newest runs (* of this session), or the whole story of one.",
        ("/runs", "/runs 5", "/runs k3j2"), "on_runs:runs", ("runs",), at_once=True,
        works_as="nonet runs list, nonet runs show RUN",
    ),
    Command(
        "docs", "[add PATH... | search WORDS | remove NAME]", "The documents that retrieval searches.",
        ("/docs", "/docs add notes/", "/docs search oak paddles"), "on_looks:docs",
        ("=add|search|remove", "documents", "files"), works_as="nonet docs",
    ),
    Command(
        "only", "[collection NAME] [type KIND] [path PATTERN] [since DATE] [until DATE] [off]",
        "Which documents are searched where a task names none.",
        ("/only", "/only collection mill", "/only type pdf since 2024-01-01", "/only off"), "on_settings:only",
        ("=collection|type|path|since|until|off",), works_as="nonet run TASK --collection NAME --type KIND",
    ),
    Command(
        "models", "[pull NAME...]", "What models there are; pull fetches one.",
        ("/models", "/models pull qwen2.5-coder:1.5b"), "on_looks:models", ("=pull", "models"), works_as="nonet models",
    ),
    Command(
        "batch", "[QUEUE | add QUEUE PATH... [TASK] | run QUEUE | pause QUEUE | go QUEUE]",
        "Queues of documents: look, fill one, work on one.",
        ("/batch", "/batch add inbox letters/ Summarize {document} in one sentence.", "/batch run inbox"),
        "on_batch:batch", ("=add|run|pause|go", "files"), works_as="nonet batch",
    ),
    Command(
        "workflow", "[NAME | run NAME INPUT=VALUE...]",
        "Workflows of yours: list them, look at one, run one.",
        ("/workflow", "/workflow show flows.py:triage", "/workflow run flows.py:triage log=@app.log"),
        "on_workflow:workflow", ("=show|run", "files"), works_as="nonet workflow, nonet run --workflow",
    ),
    Command(
        "specialists", "", "Who works here, on which models.", ("/specialists",), "on_looks:specialists", at_once=True,
        works_as="nonet specialists list",
    ),
    Command(
        "budget", "[calls N] [tokens N] [seconds S] [joules J] [off]", "What each run may spend.",
        ("/budget", "/budget calls 20 tokens 5000", "/budget off"), "on_settings:budget",
        ("=calls|tokens|seconds|joules|off",), works_as="nonet run --max-calls N --max-tokens N",
    ),
    Command(
        "set", "[SETTING [VALUE]]", "The settings; a change is for this session. Without a value it is unset.",
        ("/set", "/set model qwen2.5-coder:0.5b", "/set approve on", "/set editing vi"), "on_settings:set_",
        ("settings",), works_as="nonet config",
    ),
    Command(
        "memory", "", "What this session remembers: texts by reference, and facts.", ("/memory",), "on_looks:memory",
        at_once=True,
    ),
    Command(
        "save", "NAME | FILE", "Name this session, or write the last answer into a new file.",
        ("/save mill", "/save answer.md"), "on_settings:save", ("files",), works_as="nonet --session NAME",
    ),
    Command(
        "export", "[md | html | json] [FILE] [RUN...]", "The session, or some runs, as a document.",
        ("/export", "/export html mill.html", "/export json k3j2"), "on_settings:export",
        ("=md|html|json", "runs", "files"), works_as="nonet runs export RUN",
    ),
    Command(
        "stats", "", "What this session did, and what it cost.", ("/stats",), "on_looks:stats", at_once=True,
    ),
    Command(
        "sessions", "", "The sessions of this database.", ("/sessions",), "on_looks:sessions", at_once=True,
        works_as="nonet --session NAME, nonet --continue",
    ),
    Command(
        "theme", "[auto | light | dark | contrast | mono]", "The colours.", ("/theme", "/theme light"),
        "on_settings:theme", ("=auto|light|dark|contrast|mono",), at_once=True,
    ),
    Command("quit", "", "Leave; Ctrl-D does the same.", ("/quit",), "here:quit_", here=True),
)  # fmt: skip


def find(name: str) -> Command | None:
    """The command of that name."""
    return next((each for each in COMMANDS if each.name == name), None)


def suggestion(name: str) -> str:
    """What to say of a command that does not exist."""
    names = [each.name for each in COMMANDS]
    near = [each for each in names if name and each.startswith(name)] or difflib.get_close_matches(name, names, 3, 0.5)
    hint = f"Did you mean {' or '.join(f'/{each}' for each in near)}?" if near else "/help lists what there is."
    return f"There is no command /{name}. {hint}"
