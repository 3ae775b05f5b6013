"""Finds the workflow that somebody names: in nonet.toml, in an installed pack, in a file, in a module."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from nonet.errors import NonetError, WorkflowError
from nonet.graphs.workflow.files import SUFFIXES
from nonet.graphs.workflow.workflow import Workflow
from nonet.specialists.importing import find_module, module_of_file

GROUP = "nonet.workflows"
"""Of entry points."""


def known_workflows(declared: Mapping[str, str]) -> dict[str, str]:
    """Name -> where it is: those of nonet.toml, then those of installed packs."""
    packs = {point.name: point.value for point in sorted(entry_points(group=GROUP))}
    return {**packs, **declared}


def load_workflow(said: str, declared: Mapping[str, str]) -> Workflow[Any]:
    """The workflow of that name or place.

    Args:
        said: a known name, "file.yaml", "file.py:name", "file.py" of one workflow, or "module:name".
        declared: those of nonet.toml.

    Raises:
        WorkflowError: there is none, or it cannot be one; its own errors name the line.
    """
    reference = known_workflows(declared).get(said, said)
    place, colon, name = reference.rpartition(":")
    if reference.endswith(SUFFIXES):
        return Workflow.from_yaml(reference)
    if reference.endswith(".py"):
        return of_module(_module(reference), reference, "")
    if not colon:
        raise _unknown(said, declared)
    if place.endswith(".py"):
        return of_module(_module(place), place, name)
    return of_module(_imported(place, reference), place, name)


def of_module(module: ModuleType, place: str, name: str) -> Workflow[Any]:
    """The module's workflow that goes by that name, its own or a variable's; without a name, the only one.

    Raises:
        WorkflowError: there is none, or there are several.
    """
    workflows = {key: each for key, each in vars(module).items() if isinstance(each, Workflow)}
    if name in workflows:
        return workflows[name]
    own = {each.name: each for each in workflows.values()}
    if name in own:
        return own[name]
    if not name and len(own) == 1:
        return next(iter(own.values()))
    there = f"It has: {', '.join(workflows)}." if workflows else "It has none; one is made by nonet.Workflow(...)."
    if not name:
        raise WorkflowError(f"{place} has {len(own)} workflows.", next_step=f"{there} Name one: {place}:NAME.")
    raise WorkflowError(f"{place} has no workflow {name!r}.", next_step=there)


def _module(place: str) -> ModuleType:
    path = Path(place)
    if not path.is_file():
        raise WorkflowError(f"There is no file {place}.", next_step="Correct its path.")
    folder = str(path.parent.absolute())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as Python does for the file that it runs
    main = sys.modules.get("__main__")
    if main is not None and getattr(main, "__file__", None) and Path(str(main.__file__)).absolute() == path.absolute():
        return main
    try:
        return module_of_file(path)
    except WorkflowError:
        raise
    except NonetError as error:
        raise WorkflowError(error.message, next_step=error.next_step) from error
    except (Exception, SystemExit) as error:  # whatever the file does when it is run
        line = _last_line(error, path)
        raise WorkflowError(f"{place}{line}: importing it raised {type(error).__name__}: {error}.") from error


def _last_line(error: BaseException, path: Path) -> str:
    """Where in the file it was raised: ":12"; empty where that is elsewhere."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).absolute() == path.absolute():
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        lines.append(error.lineno)
    return f":{lines[-1]}" if lines else ""


def _imported(place: str, said: str) -> ModuleType:
    """A module by its name; the current folder counts, as it does for Python."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return find_module(place, said)
    except WorkflowError:
        raise
    except NonetError as error:
        raise WorkflowError(error.message, next_step=error.next_step) from error


def _unknown(said: str, declared: Mapping[str, str]) -> WorkflowError:
    known = known_workflows(declared)
    near = difflib.get_close_matches(said, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    there = f"Known by name: {', '.join(known)}. " if known else ""
    return WorkflowError(
        f"There is no workflow {said!r}.",
        next_step=f"{hint}{there}A file is named as flows.py:NAME or flow.yaml; nonet.toml names them in [workflows].",
    )
