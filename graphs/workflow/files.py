"""A workflow as a YAML file: the same definition that Python makes, read, checked with line and column, and written.

A file has the keys of `WorkflowDefinition`; its steps and inputs stand under their names. Functions and types are named
by import path; modules beside the file can be imported.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ValidationError

from nonet.errors import WorkflowError
from nonet.graphs.workflow.definition import InputDefinition, StepDefinition, WorkflowDefinition
from nonet.graphs.workflow.place import Place, wrong
from nonet.graphs.workflow.yaml_nodes import STRING, Located, kind_of, located

if TYPE_CHECKING:
    from nonet.graphs.workflow.workflow import Workflow

SUFFIXES = (".yaml", ".yml")
_MOST_BYTES = 1_000_000
_MOST_PROBLEMS = 5
_WIDTH = 100
_OF_A_FILE = "nonet_file_"
_JSON_KINDS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "dict",
    "array": "list",
    "null": "None",
}


def read_definition(path: Path) -> tuple[WorkflowDefinition, dict[str, Place], Place]:
    """What a file defines, as `definition_of` gives it; functions that stand beside it can be imported from then on.

    Raises:
        WorkflowError: it cannot be read, is not YAML, or is no workflow; every mistake with its line and column.
    """
    try:
        raw = path.read_bytes()[: _MOST_BYTES + 1]
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise WorkflowError(f"The workflow {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"The workflow {path} is not UTF-8 text (byte {error.start}).") from error
    if len(raw) > _MOST_BYTES:
        raise WorkflowError(f"The workflow {path} has more than {_MOST_BYTES:,} bytes; none needs so many.")
    found = definition_of(text, str(path), name=path.stem)
    folder = str(path.parent.absolute())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as Python does for the file that it runs: functions may stand beside it
    return found


def definition_of(text: str, file: str, *, name: str = "") -> tuple[WorkflowDefinition, dict[str, Place], Place]:
    """What a text defines, where each step stands ("outer.inner" within others), and where the whole does.

    Args:
        file: as errors name it.
        name: of a workflow that says none.

    Raises:
        WorkflowError: as `read_definition`.
    """
    document = located(text, file)
    if not isinstance(document.data, dict):
        raise wrong("A workflow is a table of keys: name, inputs, steps, output", document.place(()))
    data = {"name": name, **document.data}
    try:
        definition = WorkflowDefinition.model_validate(_listed(data))
    except ValidationError as error:
        raise _mistakes(error, document) from error
    if not definition.steps:
        raise wrong("The workflow has no steps", document.place(("steps",)))
    return definition, dict(_places(data, document, (), "")), document.place(())


def _listed(data: Any) -> Any:  # noqa: ANN401  what the user wrote
    """As WorkflowDefinition has it: steps in a list, types of inputs in full."""
    if not isinstance(data, dict):
        return data
    made = dict(data)
    if isinstance(steps := made.get("steps"), dict):
        made["steps"] = [_step(name, step) for name, step in steps.items()]
    if isinstance(inputs := made.get("inputs"), dict):
        made["inputs"] = {name: _input(said) for name, said in inputs.items()}
    return made


def _step(name: str, step: Any) -> Any:  # noqa: ANN401
    if not isinstance(step, dict):
        return step
    inner = {"workflow": _listed({"name": name, **step["workflow"]})} if isinstance(step.get("workflow"), dict) else {}
    return {**step, **inner, "name": name} if "name" not in step else {**step, **inner}


def _input(said: Any) -> Any:  # noqa: ANN401
    """A type by its name or JSON schema is short for a table with `type`; a default makes an input optional."""
    if not isinstance(said, dict):
        return {"type": said} if isinstance(said, str) else said
    kind = said.get("type")
    of_json = isinstance(kind, list) or kind in _JSON_KINDS
    if not set(said) <= set(InputDefinition.model_fields):
        return {"type": said} if of_json or kind is None else said
    optional = {"required": False} if "default" in said else {}
    return {**optional, **said, **({"type": _JSON_KINDS.get(str(kind), {"type": kind})} if of_json else {})}


def _places(
    data: Any,  # noqa: ANN401
    document: Located,
    path: tuple[str, ...],
    prefix: str,
) -> Iterator[tuple[str, Place]]:
    """Of each step, by its name within its workflow's."""
    steps = data.get("steps") if isinstance(data, dict) else None
    for name, step in (steps or {}).items():
        at = (*path, "steps", name)
        yield prefix + name, document.place(at)
        if isinstance(step, dict) and isinstance(step.get("workflow"), dict):
            yield from _places(step["workflow"], document, (*at, "workflow"), f"{prefix}{name}.")


def _mistakes(error: ValidationError, document: Located) -> WorkflowError:
    """All of them, each with its line and column."""
    found: dict[Place, str] = {}
    for item in error.errors(include_url=False, include_context=False):
        path = _path(item["loc"], document.data)
        place = document.place(path)
        shown = ".".join(map(str, path))
        if item["type"] == "extra_forbidden":
            said = f"there is no key {item['loc'][-1]!r}{_near(str(item['loc'][-1]), item['loc'])}"
        elif item["type"] == "missing":
            said = f"{item['loc'][-1]!r} is missing"
        else:
            said = item["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
            said += "" if isinstance(item["input"], dict | list) else f", not {str(item['input'])[:60]!r}"
        found.setdefault(place, f"{shown + ': ' if shown else ''}{said} ({place})")
    told = list(found.values())
    more = f"; and {len(told) - _MOST_PROBLEMS} more" if len(told) > _MOST_PROBLEMS else ""
    return WorkflowError(
        f"The workflow is not right: {'; '.join(told[:_MOST_PROBLEMS])}{more}.",
        next_step="`nonet schema workflow-file` has all keys; docs/workflow_yaml.md tells what they mean.",
    )


def _path(loc: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:  # noqa: ANN401
    """Where in the file that is: steps are counted in a definition, and named in a file."""
    path: list[str | int] = []
    for said in loc:
        by_name = isinstance(data, dict) and isinstance(said, int) and path[-1:] == ["steps"]
        key: str | int = list(data)[int(said)] if by_name else said
        listed = isinstance(data, list) and isinstance(key, int) and key < len(data)
        if not (key in data if isinstance(data, dict) else listed):
            break
        data = data[key]
        path.append(key)
    return tuple(path)


def _near(key: str, loc: tuple[str | int, ...]) -> str:
    kinds: dict[str, type[BaseModel]] = {"inputs": InputDefinition, "steps": StepDefinition}
    around = next((kinds[str(part)] for part in reversed(loc[:-1]) if part in kinds), WorkflowDefinition)
    if loc[-2:-1] == ("workflow",):
        around = WorkflowDefinition
    near = difflib.get_close_matches(key, around.model_fields, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(around.model_fields)}"


def write_workflow(workflow: Workflow[Any]) -> str:
    """The workflow as the text of a file: read again, it is the same definition.

    Raises:
        WorkflowError: a function of it stands where no file can name it.
    """
    for step in workflow.checked().steps.values():
        if step.definition.function is not None and "<" in step.definition.function:
            raise step.wrong(
                f"Step {step.name!r} cannot be written: its function stands within another one, or has no name",
                next_step="Move it to the top of a module.",
            )
    return text_of(workflow.definition)


def text_of(definition: WorkflowDefinition) -> str:
    """A definition as the text of a file."""
    text: str = yaml.dump(_written(definition), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def _written(definition: WorkflowDefinition) -> dict[str, Any]:
    said: dict[str, Any] = {"name": definition.name}
    if definition.description:
        said["description"] = definition.description
    if definition.inputs:
        said["inputs"] = {name: _written_input(each) for name, each in definition.inputs.items()}
    said["steps"] = {each.name: _written_step(each) for each in definition.steps}
    if definition.output is not None:
        said["output"] = definition.output
    return said


def _written_input(definition: InputDefinition) -> Any:  # noqa: ANN401
    said = definition.model_dump(mode="json", exclude_defaults=True)
    if not said or set(said) == {"type"}:
        return definition.type
    if not definition.required:
        said["default"] = definition.default
        del said["required"]
    return said


def _written_step(definition: StepDefinition) -> dict[str, Any]:
    said = definition.model_dump(mode="json", exclude_defaults=True, exclude={"name", "workflow"})
    if definition.function is not None:
        said["function"] = _importable(definition.function)
    if definition.workflow is not None:
        inner = _written(definition.workflow)
        said["workflow"] = inner
    return said


def _importable(path: str) -> str:
    """A function of the program itself, or of a file that was loaded, is found in the module of that file's name."""
    module, _, name = path.partition(":")
    if module == "__main__" and (file := getattr(sys.modules["__main__"], "__file__", None)):
        return f"{Path(file).stem}:{name}"
    if module.startswith(_OF_A_FILE):
        return f"{module.removeprefix(_OF_A_FILE).rpartition('_')[0]}:{name}"
    return path


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = text.replace("\n", "").isprintable()  # the other line breaks of Unicode are read as one of their own
    style = '"' if not plain or kind_of(text) != STRING else "|" if "\n" in text else None
    return dumper.represent_scalar(STRING, text, style=style)


_Dumper.add_representer(str, _text)


def file_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of such a file, for editors and for other programs."""
    schema = WorkflowDefinition.model_json_schema()
    definitions = schema["$defs"]
    nested = definitions.pop("WorkflowDefinition", None)
    step = definitions["StepDefinition"]
    del step["properties"]["name"]
    step["required"] = [key for key in step.get("required", []) if key != "name"]
    text = definitions["InputDefinition"]["properties"]["type"]["anyOf"]
    whole = nested or {key: value for key, value in schema.items() if key != "$defs"}
    _by_name(whole, text)
    definitions["WorkflowDefinition"] = {**whole, "required": ["steps"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A nonet workflow",
        "$ref": "#/$defs/WorkflowDefinition",
        "$defs": definitions,
    }


def _by_name(workflow: Mapping[str, Any], type_text: list[Any]) -> None:
    properties = workflow["properties"]
    properties["steps"] = {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/StepDefinition"},
        "minProperties": 1,
        "description": "By name, in any order: what a step reads decides when it runs.",
    }
    properties["inputs"]["additionalProperties"] = {"anyOf": [*type_text, {"$ref": "#/$defs/InputDefinition"}]}
