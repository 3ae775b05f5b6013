"""A step of a workflow: what it is, what it reads, and whether it can be one at all."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypedDict, TypeVar

from nonet.errors import SettingsError, UsageError
from nonet.graphs.workflow import conditions, templates
from nonet.graphs.workflow.definition import NAME, StepDefinition
from nonet.graphs.workflow.place import Place, wrong
from nonet.graphs.workflow.signatures import Parameter, code_digest, signature_of
from nonet.graphs.workflow.values import TEXT, ValueType, fits
from nonet.specialists.summary_options import SummaryOptions, check_taker

if TYPE_CHECKING:
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.specialists import Specialist

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
_NO_IDENTITY = {
    *("description", "retries", "retry_wait_seconds", "timeout_seconds", "at_once", "approve"),
    *("function", "workflow", "output"),
}
"""Policies may differ when a run goes on. Functions, workflows and types are compared by what they are, not by their
import paths: a module is called otherwise when it is the program itself."""


class StepOptions(TypedDict, total=False):
    """What may be said of any step; docs/workflows.md tells each with an example."""

    options: SummaryOptions
    """Of the specialist summarization: length, form, style, language and focus of the summary."""
    reads: Sequence[str | Step[..., Any, Any]]
    """Steps and inputs that its specialist reads as sources, beside the instruction."""
    arguments: Mapping[str, str | Step[..., Any, Any]]
    """Parameter -> the step or input it reads, where the names differ."""
    when: str
    """A condition without which it is skipped: "kind == 'refund'"."""
    until: str
    """Run again until this is true of its output, which goes by the step's name: "draft.score >= 8"."""
    at_most: int
    """Rounds, with `until`."""
    carry: str
    """With `until`: the parameter that gets the output of the round before."""
    retries: int
    """Further tries after an error or a time-out; of a specialist: further tries on each model of its ladder."""
    retry_wait_seconds: float
    """Before the first further try; doubled for each other."""
    timeout_seconds: float
    """For one try."""
    approve: str
    """A question that a person has to answer with yes before it runs."""
    at_once: int
    """With `each`: items in hand at a time."""
    description: str
    """In one line."""


def known_specialists(wanted: str) -> tuple[str, ...] | None:
    """The names there are; the settings and the installed packs are only looked at for one that does not ship.

    None: the settings cannot be read, which is told when something is run.
    """
    from nonet.settings import load  # noqa: PLC0415  most workflows need neither
    from nonet.specialists.catalog import default_specialists  # noqa: PLC0415
    from nonet.specialists.staff import find_staff  # noqa: PLC0415

    shipped = tuple(default_specialists())
    if wanted in shipped:
        return shipped
    try:
        staff = find_staff(load().settings.specialists)
    except SettingsError:
        return None
    return (*staff.specialists, *staff.missing)


class Step(Generic[P, R, T]):
    """One step. Called, it is the plain function it was made of; in a workflow, its output is a T."""

    def __init__(
        self,
        definition: StepDefinition,
        *,
        function: Callable[P, R] | None = None,
        specialist: Specialist | None = None,
        workflow: Workflow[Any] | None = None,
        returns: ValueType | None = None,
        place: Place | None = None,
    ) -> None:
        """Use `nonet.step` or `Workflow.add`. Raises WorkflowError for what cannot be a step."""
        self.definition = definition
        self.function = function
        self.specialist = specialist
        """An object that the step was given instead of a name."""
        self.workflow = workflow
        self.place = place
        self.parameters: tuple[Parameter, ...] = ()
        self.is_async = False
        one = returns
        if function is not None:
            functools.update_wrapper(self, function)
            try:
                signature = signature_of(function)
            except ValueError as error:
                raise self.wrong(f"Step {self.name!r}: {error}") from error
            self.parameters, self.is_async = signature.parameters, signature.is_async
            if definition.specialist is not None and not fits(signature.output.annotation, str):
                raise self.wrong(
                    f"Step {self.name!r}: with a specialist, its function writes the instruction and returns str, not "
                    f"{signature.output.name}",
                    next_step="Name the type of the specialist's output with `returns=`.",
                )
            one = one or (TEXT if definition.specialist is not None else signature.output)
        elif workflow is not None:
            self.parameters = tuple(workflow.checked().inputs.values())
            one = one or workflow.checked().output_type
        self.one: ValueType = one or TEXT
        """The type of what one run of it gives; an item's with `each`."""
        self._check()

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def output(self) -> ValueType:
        """The type of what other steps read."""
        return self.one.listed() if self.definition.each is not None else self.one

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function itself, as if it were not a step: for tests."""
        if self.function is None:
            raise TypeError(f"the step {self.name!r} has no function that could be called")
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<nonet step {self.name!r}>"

    def wrong(self, message: str, *, next_step: str = "") -> Exception:
        """A WorkflowError that names the line of this step."""
        return wrong(message, self.place, next_step=next_step)

    def source_of(self, parameter: str) -> str:
        """The step or input that a parameter reads."""
        return self.definition.arguments.get(parameter, parameter)

    @functools.cached_property
    def item(self) -> tuple[str, str] | None:
        """Of `each`: the item's name, and the list."""
        return self.definition.item_and_source()

    @functools.cached_property
    def inlined(self) -> tuple[str, ...]:
        """What the instruction's places stand for."""
        return templates.names_in(self.definition.instruction or "")

    @functools.cached_property
    def deciding(self) -> tuple[str, ...]:
        """What `when` reads."""
        return conditions.parse(self.definition.when).names if self.definition.when is not None else ()

    @functools.cached_property
    def needs(self) -> tuple[str, ...]:
        """Every step and input it reads, each once."""
        named = [self.source_of(each.name) for each in self.parameters]
        named += [*self.definition.reads, *self.inlined, *self.deciding]
        if self.definition.until is not None:
            named += [each for each in conditions.parse(self.definition.until).names if each != self.name]
        if self.item is not None:
            named = [self.item[1], *(each for each in named if each != self.item[0])]
        return tuple(dict.fromkeys(named))

    def identity(self) -> dict[str, Any]:
        """What makes it the same step in another process: its definition, its code, the shape of its output."""
        said = self.definition.model_dump(mode="json", exclude_defaults=True, exclude=_NO_IDENTITY)
        said["output"] = self.one.name
        if self.function is not None:
            said["code"] = code_digest(self.function)
        if self.workflow is not None:
            said["workflow"] = self.workflow.identity()
        if self.definition.specialist is not None and not self.one.is_text:
            said["schema"] = self.one.without_none().schema()
        return said

    def _check(self) -> None:
        definition = self.definition
        if not NAME.fullmatch(self.name):
            raise self.wrong(
                f"A step cannot be called {self.name!r}: a name is a letter, then letters, digits or _",
                next_step="Give it another with `name=`.",
            )
        kinds = [definition.function or self.function, definition.workflow or self.workflow, definition.specialist]
        if not any(kinds) or (kinds[1] and (kinds[0] or kinds[2])):
            raise self.wrong(f"Step {self.name!r} needs one of a specialist, a function and a workflow")
        if definition.specialist is not None and self.function is None and not (definition.instruction or "").strip():
            raise self.wrong(f"Step {self.name!r} has a specialist and no instruction")
        if definition.specialist is None and (definition.instruction is not None or definition.reads):
            raise self.wrong(f"Step {self.name!r} has no specialist that `instruction` or `reads` could be for")
        try:
            check_taker(definition.specialist or "function", definition.options)
        except UsageError as error:
            raise self.wrong(f"Step {self.name!r}: {error.message}", next_step=error.next_step) from error
        if self.specialist is None and definition.specialist is not None:
            self._check_specialist(definition.specialist)
        self._check_expressions()
        self._check_names()
        try:
            self.one.without_none().schema() if definition.specialist is not None else self.one.adapter
        except TypeError as error:
            raise self.wrong(f"Step {self.name!r}: {error}") from error

    def _check_specialist(self, specialist: str) -> None:
        known = known_specialists(specialist)
        if known is not None and specialist not in known:
            near = difflib.get_close_matches(specialist, known, n=1)
            said = f"Did you mean {near[0]!r}? " if near else ""
            raise self.wrong(
                f"Step {self.name!r} wants the specialist {specialist!r}, which does not exist",
                next_step=f"{said}There are: {', '.join(known)}. One of your own can be given as an object.",
            )

    def _check_expressions(self) -> None:
        definition = self.definition
        try:
            _ = self.item, self.deciding
            until = conditions.parse(definition.until) if definition.until is not None else None
        except ValueError as error:
            raise self.wrong(f"Step {self.name!r}: {error}") from error
        if (until is None) != (definition.at_most == 1):
            raise self.wrong(f"Step {self.name!r}: `until` and `at_most` (2 or more rounds) go together")
        if until is None and definition.carry is not None:
            raise self.wrong(f"Step {self.name!r}: `carry` goes with `until`")

    def _check_names(self) -> None:
        definition = self.definition
        parameters = [each.name for each in self.parameters]
        for what, names in (("arguments", [*definition.arguments]), ("carry", [definition.carry or ""])):
            for name in filter(None, names):
                if name not in parameters:
                    has = ", ".join(parameters) or "none"
                    raise self.wrong(
                        f"Step {self.name!r}: {what} names {name!r}, which it does not take; it takes {has}"
                    )
        if self.item is not None:
            used = [*(self.source_of(each) for each in parameters), *self.inlined, *definition.reads]
            if self.item[0] not in used:
                raise self.wrong(f"Step {self.name!r} makes nothing of {self.item[0]!r}, the item of its list")
