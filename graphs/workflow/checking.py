"""Whether the steps of a workflow make one: what reads what, no cycle, types that fit. Errors name step and line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from nonet.graphs.workflow.place import Place, wrong
from nonet.graphs.workflow.signatures import Parameter
from nonet.graphs.workflow.step import Step
from nonet.graphs.workflow.values import ANYTHING, TEXT, ValueType, accepts_none, fits

Steps = Mapping[str, Step[..., Any, Any]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A workflow that can be run."""

    steps: Steps
    """In an order in which each reads earlier ones only."""
    inputs: Mapping[str, Parameter]
    """By name."""
    reads: Mapping[str, tuple[str, ...]]
    """Step -> the steps it reads."""
    output: str | None
    """The step that gives the output; None: every step that no other reads, by name."""

    @property
    def leaves(self) -> tuple[str, ...]:
        """The steps that no other reads."""
        read = {name for names in self.reads.values() for name in names}
        return tuple(name for name in self.steps if name not in read)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The steps that the output is made of."""
        return (self.output,) if self.output is not None else self.leaves

    @property
    def output_type(self) -> ValueType:
        return self.steps[self.output].output if self.output is not None else ValueType(dict[str, Any])

    def sorter(self) -> TopologicalSorter[str]:
        """A prepared sorter: take what is ready, mark it done, take again."""
        sorter = TopologicalSorter(self.reads)
        sorter.prepare()
        return sorter


def check(
    name: str,
    steps: Sequence[Step[..., Any, Any]],
    *,
    output: str | None,
    declared: Mapping[str, Parameter] | None,
    place: Place | None,
) -> Checked:
    """Check the whole. `declared`: the inputs, where they were given; else what names no step is one.

    Raises:
        WorkflowError: what is wrong, with the line of the step.
    """
    if not steps:
        raise wrong(f"The workflow {name!r} has no steps", place, next_step="Give it steps, or `add` some.")
    by_name: dict[str, Step[..., Any, Any]] = {}
    for step in steps:
        if step.name in by_name:
            other = by_name[step.name].place
            raise step.wrong(f"Two steps are called {step.name!r}; the other is at {other}")
        by_name[step.name] = step
    reads = {each.name: tuple(name for name in each.needs if name in by_name) for each in steps}
    ordered = {each: by_name[each] for each in _order(reads, by_name)}
    inputs = _inputs(ordered, declared)
    for step in ordered.values():
        _check_types(step, ordered, inputs)
    if output is None:
        read = {each for names in reads.values() for each in names}
        leaves = [each for each in ordered if each not in read]
        output = leaves[0] if len(leaves) == 1 else None
    elif output not in by_name:
        near = difflib.get_close_matches(output, by_name, n=1)
        raise wrong(
            f"The output of the workflow {name!r} is to be {output!r}, which is no step of it",
            place,
            next_step=f"Did you mean {near[0]!r}?" if near else f"Its steps are: {', '.join(by_name)}.",
        )
    return Checked(ordered, inputs, {name: reads[name] for name in ordered}, output)


def _order(reads: Mapping[str, tuple[str, ...]], steps: Steps) -> list[str]:
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        around: list[str] = list(reversed(error.args[1]))
        said = " reads ".join(repr(each) for each in around)
        raise steps[around[0]].wrong(
            f"The steps make a cycle: {said}",
            next_step="A step that is to run again takes `until` and `at_most`, and `carry` for its last output.",
        ) from None


def _inputs(steps: Steps, declared: Mapping[str, Parameter] | None) -> dict[str, Parameter]:
    found: dict[str, Parameter] = dict(declared or {})
    by: dict[str, Step[..., Any, Any]] = {}
    for step in steps.values():
        parameters = {step.source_of(each.name): each for each in step.parameters}
        for name in step.needs:
            if name in steps:
                continue
            wanted = parameters.get(name)
            if declared is not None and name not in declared:
                if wanted is not None and not wanted.required:
                    continue  # its default stands
                near = difflib.get_close_matches(name, [*steps, *declared], n=1)
                raise step.wrong(
                    f"Step {step.name!r} reads {name!r}, which is neither a step nor an input",
                    next_step=f"Did you mean {near[0]!r}?" if near else "",
                )
            type_ = (
                _listed(step, parameters) if step.item and step.item[1] == name else _wanted_type(step, name, wanted)
            )
            required = wanted is None or wanted.required
            given = Parameter(name, type_, required, None if wanted is None else wanted.default)
            found[name] = _merged(found.get(name), given, step, by.get(name), declared=declared is not None)
            by.setdefault(name, step)
    return found


def _listed(step: Step[..., Any, Any], parameters: Mapping[str, Parameter]) -> ValueType:
    """Of an input that a step goes through: a list of what its parameter takes."""
    item = parameters.get(step.item[0]) if step.item is not None else None
    return item.type.listed() if item is not None else ANYTHING.listed()


def _wanted_type(step: Step[..., Any, Any], name: str, wanted: Parameter | None) -> ValueType:
    if wanted is not None:
        return wanted.type
    return TEXT if name in step.definition.reads else ANYTHING


def _merged(
    one: Parameter | None,
    other: Parameter,
    step: Step[..., Any, Any],
    first: Step[..., Any, Any] | None,
    *,
    declared: bool,
) -> Parameter:
    """An input as two steps read it: one type, and required if one of them cannot do without."""
    if one is None:
        return other
    a, b = one.type.annotation, other.type.annotation
    if not (fits(a, b) or (not declared and fits(b, a))):
        where = f"{first.name!r} ({first.place})" if first is not None else "the workflow"
        raise step.wrong(
            f"Step {step.name!r} reads the input {other.name!r} as {other.type.name}, and {where} says {one.type.name}"
        )
    if declared:
        return one
    narrower = one.type if b is Any or (a is not Any and fits(a, b)) else other.type
    required = one.required or other.required
    return Parameter(one.name, narrower, required, None if required else one.default)


def _check_types(step: Step[..., Any, Any], steps: Steps, inputs: Mapping[str, Parameter]) -> None:
    item = step.item
    if item is not None:
        _check_list(step, item, steps, inputs)
    for parameter in step.parameters:
        source = step.source_of(parameter.name)
        if item is not None and source == item[0]:
            given, whose = _type_of(item[1], steps, inputs).item(), f"an item of {item[1]!r}"
        elif source in steps:
            given, whose = steps[source].output, f"the step {source!r}"
        else:
            continue
        wanted = parameter.type.annotation
        if given.annotation is None and accepts_none(wanted):
            continue
        if not fits(given.annotation, wanted):
            at = f", {steps[source].place}" if source in steps else ""
            raise step.wrong(
                f"Step {step.name!r} takes {parameter.name!r} as {parameter.type.name}, and {whose} is {given.name}{at}"
            )


def _check_list(
    step: Step[..., Any, Any], item: tuple[str, str], steps: Steps, inputs: Mapping[str, Parameter]
) -> None:
    if item[0] in steps or item[0] in inputs:
        raise step.wrong(f"Step {step.name!r} calls an item {item[0]!r}, which is the name of another step or input")
    given = _type_of(item[1], steps, inputs).annotation
    if not (fits(given, list) or fits(given, tuple) or fits(given, set)):
        raise step.wrong(f"Step {step.name!r} goes through {item[1]!r}, which is no list: {ValueType(given).name}")


def _type_of(name: str, steps: Steps, inputs: Mapping[str, Parameter]) -> ValueType:
    return steps[name].output if name in steps else inputs[name].type
