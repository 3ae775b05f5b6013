"""What cannot be a workflow is refused when it is defined, with the step and the line of the user's file."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import nonet
from nonet.errors import WorkflowError
from nonet.graphs.workflow import conditions, templates
from nonet.graphs.workflow.typenames import text_of, type_of
from nonet.graphs.workflow.values import ValueType


class Draft(BaseModel):
    text: str
    score: int


@nonet.step
def words(text: str) -> list[str]:
    return text.split()


@nonet.step
def count(words: list[str]) -> int:
    return len(words)


def numbers(count: int) -> list[int]:
    return list(range(count))


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(WorkflowError) as caught:
        make()
    said = str(caught.value)
    assert Path(__file__).name in said, said
    return said


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_a_step_is_still_its_function() -> None:
    assert words("a b") == ["a", "b"]
    assert words.name == "words"


def test_what_names_no_step_is_an_input() -> None:
    flow = nonet.Workflow("flow", [count, words])
    assert list(flow.inputs) == ["text"]
    assert [each.name for each in flow.steps] == ["words", "count"]
    assert flow.definition.output == "count"


def test_a_cycle_names_its_steps_and_a_line() -> None:
    @nonet.step
    def one(two: int) -> int:
        return two

    @nonet.step
    def two(one: int) -> int:
        return one

    said = refused(lambda: nonet.Workflow("loop", [one, two]))
    assert "cycle" in said
    assert "'one'" in said
    assert "'two'" in said


def test_an_unknown_specialist_names_the_nearest_and_the_line() -> None:
    flow = nonet.Workflow("flow")
    here = line() + 1
    said = refused(lambda: flow.add("sum", specialist="sumarization", instruction="Sum up."))
    assert "Did you mean 'summarization'?" in said
    assert f"{Path(__file__).name}:{here}" in said


def test_types_that_do_not_fit_name_both_steps() -> None:
    @nonet.step
    def shout(count: str) -> str:
        return count.upper()

    said = refused(lambda: nonet.Workflow("flow", [words, count, shout]))
    assert "'shout' takes 'count' as str" in said
    assert "'count' is int" in said


def test_an_item_of_another_type_does_not_fit() -> None:
    @nonet.step(each="word in words")
    def double(word: int) -> int:
        return word * 2

    assert "an item of 'words' is str" in refused(lambda: nonet.Workflow("flow", [words, double]))


def test_what_is_no_list_cannot_be_gone_through() -> None:
    @nonet.step(each="digit in count")
    def double(digit: int) -> int:
        return digit * 2

    assert "which is no list: int" in refused(lambda: nonet.Workflow("flow", [words, count, double]))


def test_two_steps_of_one_name_are_refused() -> None:
    assert "Two steps are called 'words'" in refused(lambda: nonet.Workflow("flow", [words, words]))


def test_a_declared_workflow_knows_its_inputs() -> None:
    said = refused(lambda: nonet.Workflow("flow", [count], inputs={"wordz": list[str]}))
    assert "reads 'words', which is neither a step nor an input" in said
    assert "Did you mean 'wordz'?" in said


def test_an_unknown_output_is_refused() -> None:
    assert "no step of it" in refused(lambda: nonet.Workflow("flow", [words], output="word"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"each": "words"}, "each is written 'item in items'"),
        ({"each": "word in words"}, "makes nothing of 'word'"),
        ({"when": "open('x')"}, "more than a condition may be"),
        ({"when": "count +"}, "is not an expression"),
        ({"until": "numbers == 3"}, "go together"),
        ({"at_most": 3}, "go together"),
        ({"carry": "count"}, "`carry` goes with `until`"),
        ({"until": "True", "at_most": 2, "carry": "x"}, "carry names 'x', which it does not take; it takes count"),
        ({"arguments": {"n": "count"}}, "arguments names 'n'"),
        ({"retries": -1}, "greater than or equal to 0"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"reads": ["count"]}, "no specialist"),
        ({"name": "a b"}, "cannot be called 'a b'"),
        ({"specialist": "general"}, "writes the instruction and returns str, not list[int]"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    assert said in refused(lambda: nonet.step(**options)(numbers))


def test_functions_that_cannot_be_steps_are_refused() -> None:
    def many(*words: str) -> int:
        return len(words)

    def strange(word: Unknown) -> str:  # type: ignore[name-defined]  # noqa: F821
        return str(word)

    assert "*words: str" in refused(lambda: nonet.step(many))
    assert "'Unknown', which is not known there" in refused(lambda: nonet.step(strange))
    thread = nonet.step(specialist="general", returns=threading.Thread)
    assert "can be neither checked nor kept" in refused(lambda: thread(go))
    assert "cannot be called '<lambda>'" in refused(lambda: nonet.step(lambda word: word))


def go() -> str:
    return "Go."


def test_classes_of_the_function_around_can_be_types() -> None:
    class Local(BaseModel):
        x: int

    @nonet.step
    def make(n: int) -> Local:
        return Local(x=n)

    assert make.output.name == "Local"


@pytest.mark.parametrize(
    ("expression", "values", "holds"),
    [
        ("kind == 'refund'", {"kind": "refund"}, True),
        ("not (kind == 'refund')", {"kind": "refund"}, False),
        ("draft.score >= 8 and len(draft.text) < 5", {"draft": Draft(text="abc", score=8)}, True),
        ("kind in ['a', 'b'] or n == -1", {"kind": "c", "n": -1}, True),
        ("d['k'][0] is None", {"d": {"k": [None]}}, True),
        ("1 < n <= 3", {"n": 3}, True),
    ],
)
def test_conditions(expression: str, values: dict[str, Any], holds: object) -> None:
    assert conditions.parse(expression).holds(values) is holds


@given(st.text(max_size=60) | st.text("abx.()[]_'= <>+-*0123 \n", max_size=30))
def test_any_text_is_a_condition_or_a_value_error(text: str) -> None:
    try:
        condition = conditions.parse(text)
        condition.holds(dict.fromkeys(condition.names, 1))
    except ValueError:
        pass


@pytest.mark.parametrize("expression", ["x.__class__", "x._y", "x.format", "__import__('os')", "[a for a in x]", "x()"])
def test_conditions_reach_nothing_else(expression: str) -> None:
    with pytest.raises(ValueError, match=r"condition|underscore|computed"):
        conditions.parse(expression).holds({"x": "text"})


def test_templates_fill_in_fields_and_keep_braces() -> None:
    assert templates.names_in("{a} {{b}} {c.text} {not this} {") == ("a", "c")
    filled = templates.fill("{a} {{b}} {c.text} {", {"a": [1], "c": Draft(text="t", score=1)})
    assert filled == "[1] {b} t {"
    with pytest.raises(ValueError, match="cannot be filled in"):
        templates.fill("{a.__class__}", {"a": 1})


@pytest.mark.parametrize(
    "annotation",
    [str, int, bool, list[str], dict[str, float], list[Draft], Draft | None, Any, list[dict[str, list[int]]]],
)
def test_types_go_to_text_and_back(annotation: Any) -> None:
    said = text_of(ValueType(annotation))
    assert isinstance(said, str)
    assert type_of(said).annotation == annotation


def test_types_without_a_name_are_json_schemas() -> None:
    said = text_of(ValueType(Literal["a", "b"]))
    assert isinstance(said, dict)
    again = type_of(said)
    assert again.checked("a") == "a"
    assert again.schema() == said
    with pytest.raises(ValueError, match="schema"):
        again.checked("c")


@pytest.mark.parametrize(
    "said", ["", "strr", "list[", "list[str", "list[str, int]", "str]", "no.module:X", "json:X", "|"]
)
def test_texts_that_are_no_types(said: str) -> None:
    with pytest.raises(ValueError, match=r"type|imported|has no|no module"):
        type_of(said)


@given(st.dictionaries(st.integers(0, 11), st.sets(st.integers(0, 11), max_size=4), min_size=1, max_size=12))
def test_any_graph_is_ordered_or_refused_as_a_cycle(edges: dict[int, set[int]]) -> None:
    """What a step reads comes before it; a cycle is always found; nothing else is refused."""
    flow = nonet.Workflow("graph")
    cyclic = _has_cycle(edges)
    for name, reads in edges.items():
        flow.add(f"s{name}", specialist="general", instruction="Go.", reads=[f"s{each}" for each in sorted(reads)])
    if cyclic:
        with pytest.raises(WorkflowError, match="cycle"):
            flow.checked()
        return
    order = [step.name for step in flow.steps]
    assert sorted(order) == sorted(f"s{name}" for name in edges)
    for name, reads in edges.items():
        for each in reads & edges.keys():
            assert order.index(f"s{each}") < order.index(f"s{name}")
    assert set(flow.inputs) == {f"s{each}" for reads in edges.values() for each in reads} - set(order)


def _has_cycle(edges: dict[int, set[int]]) -> bool:
    left = {name: reads & edges.keys() for name, reads in edges.items()}
    while free := [name for name, reads in left.items() if not reads]:
        left = {name: reads - set(free) for name, reads in left.items() if name not in free}
    return bool(left)
