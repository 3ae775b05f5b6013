"""Who works here: the specialists that ship, those given in code, those of nonet.toml, and those of installed packs.

A pack is a distribution with an entry point in the group `nonet.specialists`. What cannot be loaded is left out and
told: it never keeps the others from their work.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from nonet.errors import NonetError, SpecialistError
from nonet.specialists.catalog import default_specialists
from nonet.specialists.protocol import Specialist

if TYPE_CHECKING:
    from nonet.settings_specialists import Declared

GROUP = "nonet.specialists"
SHIPPED = "ships with nonet"
IN_CODE = "given in code"
_RESERVED = frozenset({"supervisor"})
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A specialist that is left out."""

    name: str
    origin: str
    reason: str

    def told(self) -> str:
        """In one line."""
        return f"The specialist {self.name} ({self.origin}) is left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class Staff:
    """Specialists by name, in the order in which doors list them."""

    specialists: Mapping[str, Specialist]
    origins: Mapping[str, str]
    """Where each comes from, in words."""
    problems: tuple[Problem, ...] = ()

    def why_missing(self, name: str) -> str:
        """Why there is no specialist of that name, where one was left out; else empty."""
        return next((problem.told() for problem in self.problems if problem.name == name), "")

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of those that were left out."""
        return tuple(problem.name for problem in self.problems)

    @property
    def models(self) -> dict[str, tuple[str, ...]]:
        """The ladder each brings itself."""
        brought = {name: tuple(getattr(each, "models", ())) for name, each in self.specialists.items()}
        return {name: models for name, models in brought.items() if models}


@dataclass(slots=True)
class _Roll:
    specialists: dict[str, Specialist] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, specialist: Specialist, origin: str) -> None:
        """Raises SpecialistError where the name is taken."""
        if specialist.name in self.specialists:
            raise SpecialistError(
                f"the name {specialist.name!r} is taken by one that comes from elsewhere"
                f" ({self.origins[specialist.name]})."
            )
        self.specialists[specialist.name] = specialist
        self.origins[specialist.name] = origin


def find_staff(declared: Mapping[str, Declared], own: Iterable[Specialist] = ()) -> Staff:
    """Everybody who works here.

    Args:
        declared: the settings' own.
        own: given in code.

    Raises:
        SpecialistError: one that is given in code is none, or its name is taken. What is wrong with those of
            nonet.toml and of packs is in `problems`.
    """
    roll = _Roll()
    for name, shipped in default_specialists().items():
        roll.specialists[name] = shipped
        roll.origins[name] = SHIPPED
    for each in own:
        roll.take(checked(each, getattr(each, "name", "")), IN_CODE)
    for name, table in declared.items():
        _try(roll, name, "nonet.toml", lambda name=name, table=table: _of_settings(name, table))
    for point in _points():
        _try(roll, point.name, _pack(point), point.load)
    return Staff(roll.specialists, roll.origins, tuple(roll.problems))


def _of_settings(name: str, table: Declared) -> Any:  # noqa: ANN401  not checked yet
    from nonet.specialists.declared import from_settings  # noqa: PLC0415  only where some are declared

    return from_settings(name, table)


def _points() -> Sequence[EntryPoint]:
    """In an order that does not depend on the path."""
    found = {(point.name, point.value): point for point in entry_points(group=GROUP)}
    return sorted(found.values(), key=lambda point: (_pack(point), point.name))


def _pack(point: EntryPoint) -> str:
    return f"pack {point.dist.name} {point.dist.version}" if point.dist is not None else "an installed pack"


def _try(roll: _Roll, name: str, origin: str, load: Any) -> None:  # noqa: ANN401  gives anything
    try:
        roll.take(checked(load(), name), origin)
    except NonetError as error:
        roll.problems.append(Problem(name, origin, str(error)))
    except Exception as error:  # noqa: BLE001  a pack's import may raise anything, and must not stop nonet
        roll.problems.append(Problem(name, origin, f"loading it raised {type(error).__name__}: {error}."))


def checked(found: Any, name: str) -> Specialist:  # noqa: ANN401  that is what is checked
    """The specialist: an instance, or a class that is made without arguments.

    Raises:
        SpecialistError: it is none, naming what it lacks.
    """
    if isinstance(found, type):
        try:
            found = found()
        except TypeError as error:
            raise SpecialistError(f"its class cannot be made without arguments: {error}.") from error
    lacks = [
        word
        for word, has in (
            ("name", isinstance(getattr(found, "name", None), str)),
            ("description", isinstance(getattr(found, "description", None), str)),
            ("examples", _are_texts(getattr(found, "examples", None))),
            ("work", inspect.iscoroutinefunction(getattr(found, "work", None))),
        )
        if not has
    ]
    if lacks:
        hint = " Did you forget @nonet.specialist(...) on it?" if inspect.isfunction(found) else ""
        raise SpecialistError(
            f"it is a {type(found).__name__}, and no specialist: {', '.join(lacks)} missing or of another type.{hint}"
        )
    if not _NAME.fullmatch(found.name) or found.name in _RESERVED:
        raise SpecialistError(
            f"{found.name!r} cannot be its name: small letters, digits, - and _, at most 40, and not 'supervisor'."
        )
    if name != found.name:
        raise SpecialistError(f"it is called {found.name!r}, and registered as {name!r}.")
    if not _are_texts(getattr(found, "models", ())):
        raise SpecialistError("its models are not a list of names.")
    for tool in getattr(found, "tools", ()):
        _check_tool(tool)
    specialist: Specialist = found
    return specialist


def _check_tool(tool: Any) -> None:  # noqa: ANN401  that is what is checked
    from nonet.specialists.tools import Tool, ToolSource, tool_of  # noqa: PLC0415

    if isinstance(tool, Tool | ToolSource):
        return
    if not callable(tool):
        raise SpecialistError(f"{tool!r} is no tool: a function with types, a Tool or an McpServer is.")
    tool_of(tool)


def _are_texts(value: Any) -> bool:  # noqa: ANN401  that is what is checked
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
