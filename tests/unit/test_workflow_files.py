"""Workflows as YAML: the same definition as in Python, there and back, and every mistake with its line and column."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import nonet
from nonet.errors import WorkflowError
from nonet.graphs.workflow.definition import InputDefinition, StepDefinition, WorkflowDefinition
from nonet.graphs.workflow.files import definition_of, file_schema, write_workflow
from nonet.graphs.workflow.workflow import Workflow

FLOW = """\
description: Which lines of a log tell of errors.
inputs:
  log: str
  most: {type: integer, default: 5}
  style: {default: plain, description: of the summary}
  shape: {anyOf: [{type: object}, {type: "null"}]}
steps:
  lines:
    function: yaml_logs:lines
    output: list[str]
  tickets:
    specialist: general
    each: line in lines
    instruction: "Is it urgent? {line}"
    output:
      type: object
      properties: {urgent: {type: boolean}}
      required: [urgent]
      additionalProperties: false
  summary:
    specialist: summarization
    reads: [log]
    instruction: |
      Sum up in {style} words.
      Two sentences.
    retries: 1
  inner:
    workflow:
      steps:
        shorter: {function: "yaml_logs:shorter"}
      output: shorter
    arguments: {text: summary}
  report:
    function: yaml_logs:report
    when: most > 1
output: report
"""
LOGS = """
def lines(log: str, most: int) -> list[str]:
    return [line for line in log.splitlines() if "ERROR" in line][:most]

def shorter(text: str) -> str:
    return text[:20]

def report(tickets: list, inner: str, shape) -> str:
    return f"{len(tickets)} tickets: {inner} {shape}"
"""


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file, with its functions beside it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "yaml_logs", raising=False)
    (tmp_path / "yaml_logs.py").write_text(LOGS, encoding="utf-8")
    path = tmp_path / "flow.yaml"
    path.write_text(FLOW, encoding="utf-8")
    return path


def test_a_file_is_run_with_its_functions_beside_it(flow: Path) -> None:
    workflow = Workflow.from_yaml(flow)
    assert workflow.name == "flow"
    inputs = {"log": "a ERROR b\nc ERROR d\ne fine", "shape": {"a": "x"}}
    result = workflow.run(inputs, runtime="scripted", db=flow.parent / "a.db")
    assert result.status == "done"
    assert str(result.output).startswith("2 tickets: ")
    assert len(result["tickets"]) == 2


def test_there_and_back_it_is_the_same_definition(flow: Path) -> None:
    first = Workflow.from_yaml(flow)
    again = flow.with_name("again.yaml")
    again.write_text(write_workflow(first), encoding="utf-8")
    assert Workflow.from_yaml(again).definition == first.definition
    assert "instruction: |" in again.read_text(encoding="utf-8")
    # Another process that goes on with a run compares what the workflow is.
    assert Workflow.from_yaml(again).identity() == first.identity()
    assert first.checked().steps["tickets"].one.name == "object of urgent"


def test_what_python_makes_is_written_and_read(tmp_path: Path) -> None:
    made = nonet.Workflow("digest", description="What happened.")
    made.add("news", specialist="summarization", instruction="What of {place}?", reads=["text"], output=str)
    made.add("score", specialist="general", instruction="Rate it: {news}", output=int, retries=2, timeout_seconds=9.5)
    path = tmp_path / "digest.yaml"
    path.write_text(write_workflow(made), encoding="utf-8")
    assert Workflow.from_yaml(path).definition == made.definition

    def local(text: str) -> str:
        return text

    made.add("local", function=local)
    with pytest.raises(WorkflowError, match="its function stands within another one"):
        write_workflow(made)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "steps:\n  a:\n    specialst: general\n",
            r"steps.a.specialst: there is no key .*'specialist'\? \(f.yaml:3:5\)",
        ),
        ("steps: {a: {retries: -1}}", r"steps.a.retries: should be greater .*, not '-1' \(f.yaml:1:13\)"),
        (
            "steps:\n  a: {retries: x}\n  b:\n    workflow:\n      steps:\n        c: {carry: 1}\n",
            r"f.yaml:2:7\); steps.b.workflow.steps.c.carry: should be a valid string, not '1' \(f.yaml:6:13\)",
        ),
        ("steps: {a: 3}", r"steps.a: .* \(f.yaml:1:9\)"),
        ("outputs: a\nsteps: {}", r"there is no key 'outputs'; did you mean 'output'\? \(f.yaml:1:1\)"),
        ("inputs: {x: {type: int, defalt: 3}}\nsteps: {}", r"inputs.x.defalt: .*'default'\? \(f.yaml:1:25\)"),
        ("name: x\nsteps: {}", r"no steps \(f.yaml:2:1\)"),
        ("steps: [\n", r"is not YAML: while parsing a flow node .*\(f.yaml:2:1\)"),
        ("a: &x 1\nb: *x\n", r"An alias stands there; .*\(f.yaml:1:4\)"),
        ("a: 1\nb: 2\na: 3\n", r"'a' stands there twice; it is first in line 1 \(f.yaml:3:1\)"),
        ("a: !!python/object:os.system x", r"The tag .*os.system' stands there; .*\(f.yaml:1:4\)"),
        ("a: 1\n---\nb: 1\n", r"expected a single document .*\(f.yaml:2:1\)"),
        ("? [a]\n: 1\n", r"A key is a plain word \(f.yaml:1:3\)"),
        ("", r"The file is empty \(f.yaml:1\)"),
        ("- 1", r"A workflow is a table of keys: .*\(f.yaml:1:1\)"),
        ("\x00", r"is not YAML: unacceptable character .*\(f.yaml:1\)"),
        ("[" * 5000, "f.yaml:"),
        ("a: " * 100, "f.yaml:"),
    ],
)
def test_every_mistake_has_its_line_and_column(text: str, words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        definition_of(text, "f.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("general", "generl"), r"wants the specialist 'generl', .*\(\S+flow.yaml:11:3\)"),
        (
            ("yaml_logs:shorter", "yaml_logs:gone"),
            r"'shorter': yaml_logs:gone: the module has no 'gone' \(\S+flow.yaml:30:9\)",
        ),
        (("list[str]", "list[strg]"), r"'strg' is no type"),
        (("reads: [log]", "reads: [report]"), r"make a cycle.*flow.yaml:\d+:3\)"),
    ],
)
def test_what_only_the_whole_shows_is_told_with_the_line_of_its_step(
    flow: Path, change: tuple[str, str], words: str
) -> None:
    flow.write_text(FLOW.replace(*change), encoding="utf-8")
    if change[0] == "list[str]":  # of a function the annotation counts, not the text
        flow.write_text(FLOW.replace("output:\n      type: object", "output: strg\n    xx:"), encoding="utf-8")
        with pytest.raises(WorkflowError, match="there is no key 'xx'"):
            Workflow.from_yaml(flow)
        return
    with pytest.raises(WorkflowError, match=words):
        Workflow.from_yaml(flow)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="No such file"):
        Workflow.from_yaml(tmp_path / "gone.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkflowError, match="not UTF-8"):
        Workflow.from_yaml(tmp_path / "bytes.yaml")
    (tmp_path / "huge.yaml").write_text("#" * 1_000_001, encoding="utf-8")
    with pytest.raises(WorkflowError, match="more than 1,000,000 bytes"):
        Workflow.from_yaml(tmp_path / "huge.yaml")


def test_the_published_schema_takes_what_is_read_and_refuses_what_is_not(flow: Path) -> None:
    schema = jsonschema_rs.validator_for(json.dumps(file_schema()))
    assert list(schema.iter_errors(yaml.safe_load(FLOW))) == []
    assert list(schema.iter_errors(yaml.safe_load(write_workflow(Workflow.from_yaml(flow))))) == []
    assert not schema.is_valid({"steps": {"a": {"specialst": "general"}}})
    assert not schema.is_valid({"steps": {"a": {"retries": -1}}})
    assert not schema.is_valid({"steps": {}})


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
steps = st.builds(
    StepDefinition,
    name=st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True),
    specialist=st.none() | words,
    instruction=st.none() | words,
    reads=st.lists(words, max_size=2).map(tuple),
    output=words | st.dictionaries(words, words | st.integers() | st.booleans(), min_size=1, max_size=2),
    retries=st.integers(0, 100),
    retry_wait_seconds=st.floats(0, 86_400),
    description=words,
)


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        WorkflowDefinition,
        name=words,
        description=words,
        inputs=st.dictionaries(words, st.builds(InputDefinition, description=words), max_size=2),
        steps=st.lists(steps, min_size=1, max_size=3, unique_by=lambda step: step.name).map(tuple),
        output=st.none() | words,
    )
)
def test_any_definition_comes_back_from_its_text(definition: WorkflowDefinition) -> None:
    from nonet.graphs.workflow.files import text_of  # noqa: PLC0415  beside what it proves

    assert definition_of(text_of(definition), "f.yaml")[0] == definition


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.text("abst:-[]{}&*!|> \n\t'\"#%@`", max_size=60))
def test_any_text_is_a_definition_or_an_error_of_ours(text: str) -> None:
    try:
        found: Any = definition_of(text, "f.yaml")
    except WorkflowError as error:
        assert "f.yaml" in error.message  # noqa: PT017  either is fine
    else:
        assert found[0].steps
