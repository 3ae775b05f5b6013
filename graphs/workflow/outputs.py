"""The output of a workflow, made of what its steps gave."""

from __future__ import annotations

from collections.abc import Mapping

from nonet.graphs.workflow.checking import Checked
from nonet.graphs.workflow.flow import FAILED, SKIPPED, WAITING, State, Value


def output_of(checked: Checked, values: Mapping[str, Value]) -> Value:
    """The value of the output step; where several steps end the workflow, theirs by name, the skipped ones as None."""
    if checked.output is not None:
        return values[checked.output]
    found = {name: values[name] for name in checked.leaves}
    states = {each.state for each in found.values()}
    for state, value in ((State.FAILED, FAILED), (State.WAITING, WAITING)):
        if state in states:
            return value
    if states == {State.SKIPPED}:
        return SKIPPED
    type_ = checked.output_type
    return Value.of(type_, type_.to_text({name: each.read() for name, each in found.items()}))
