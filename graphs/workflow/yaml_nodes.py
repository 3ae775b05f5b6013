"""YAML as plain data with the place of every key and value, so that a mistake can be shown where it stands.

Scalars are read by the core schema of YAML 1.2 (only true and false are booleans, 1:30 is a text). What a file of this
kind never needs is refused: tags, anchors and aliases, several documents, a key twice.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

from nonet.graphs.workflow.place import Place, wrong

Path = tuple[str | int, ...]
_CORE = {
    "tag:yaml.org,2002:null": re.compile(r"~|null|Null|NULL|"),
    "tag:yaml.org,2002:bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "tag:yaml.org,2002:int": re.compile(r"[-+]?(?:0|[1-9][0-9]*)"),
    "tag:yaml.org,2002:float": re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"),
}
STRING = "tag:yaml.org,2002:str"
"""The tag of a text."""
_DEEPEST = 60


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Resolves no scalar itself."""

    yaml_implicit_resolvers: dict[Hashable, Any] = {}  # noqa: RUF012  PyYAML's own form


@dataclass(slots=True)
class Located:
    """A document: its data, and where each part of it stands."""

    data: Any
    file: str
    places: dict[Path, Place] = field(default_factory=dict)
    """By the keys that lead there: a key's own place in a mapping, an item's in a list; () is the whole."""

    def place(self, path: Path) -> Place:
        """Of what stands there, or of the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]


def located(text: str, file: str) -> Located:
    """Read one document.

    Args:
        file: as places name it.

    Raises:
        WorkflowError: it is not YAML, or has what no workflow needs.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file, 1)
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise wrong(f"The file is not YAML: {said}", place) from error
    except (yaml.YAMLError, RecursionError) as error:  # characters that YAML has not, brackets without end
        raise wrong(f"The file is not YAML: {str(error).splitlines()[0]}", Place(file, 1)) from error
    if node is None:
        raise wrong("The file is empty", Place(file, 1), next_step="docs/workflow_yaml.md has an example.")
    found = Located(None, file)
    found.data = _plain(node, (), found, set())
    found.places.setdefault((), _place(node, file))
    return found


def _place(node: yaml.Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _plain(node: yaml.Node, path: Path, found: Located, seen: set[int]) -> Any:  # noqa: ANN401  any JSON value
    place = _place(node, found.file)
    if id(node) in seen:
        raise wrong("An alias stands there; a workflow has none", place, next_step="Write it out.")
    if len(path) > _DEEPEST:
        raise wrong(f"More than {_DEEPEST} parts stand within one another", place)
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, found, seen)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for number, item in enumerate(node.value):
            found.places[(*path, number)] = _place(item, found.file)
            items.append(_plain(item, (*path, number), found, seen))
        return items
    return _scalar(node, place)


def _mapping(node: yaml.MappingNode, path: Path, found: Located, seen: set[int]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value in node.value:
        place = _place(key_node, found.file)
        if not isinstance(key_node, yaml.ScalarNode):
            raise wrong("A key is a plain word", place)
        key = str(key_node.value)
        if key in values:
            raise wrong(f"{key!r} stands there twice; it is first in line {found.places[(*path, key)].line}", place)
        found.places[(*path, key)] = place
        values[key] = _plain(value, (*path, key), found, seen)
    return values


def kind_of(text: str) -> str:
    """The tag by which a scalar without quotes is read."""
    return next((tag for tag, pattern in _CORE.items() if pattern.fullmatch(text)), STRING)


def _scalar(node: yaml.Node, place: Place) -> Any:  # noqa: ANN401
    text = str(node.value)
    if node.tag not in (STRING, "!"):
        raise wrong(f"The tag {node.tag!r} stands there; a workflow has none", place)
    if node.style is not None or node.tag == "!":
        return text
    match kind_of(text).rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text
