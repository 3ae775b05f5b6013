"""Whether answers obey their schemas, and whether schemas are any."""

from __future__ import annotations

from typing import Any

import pytest

from nonet.errors import BadRequestError, IncompleteAnswerError
from nonet.runtimes.schema import check_answer, encode_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"z": {"type": "integer", "minimum": 1}, "a": {"type": "array", "uniqueItems": True}},
    "required": ["z"],
    "additionalProperties": False,
}


def test_keeps_the_order_of_the_properties() -> None:
    assert encode_schema(SCHEMA).index('"z"') < encode_schema(SCHEMA).index('"a"')


@pytest.mark.parametrize("text", ['{"z": 1}', ' {"z": 3, "a": [1, 2]}\n'])
def test_lets_pass_what_obeys(text: str) -> None:
    check_answer(text, encode_schema(SCHEMA))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"z": 0}', "at z"),  # number ranges are not part of a grammar
        ('{"z": 1, "a": [1, 1]}', "at a"),
        ('{"a": []}', "at the top"),
        ('{"z": 1, "b": 2}', "at the top"),
        ("[]", "at the top"),
        ('{"z": 1', "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("1" * 5000, "."),
    ],
)
def test_refuses_what_does_not(text: str, words: str) -> None:
    with pytest.raises(IncompleteAnswerError, match=words) as caught:
        check_answer(text, encode_schema(SCHEMA))
    assert caught.value.partial == text
    assert caught.value.next_step


def test_says_that_an_answer_was_cut() -> None:
    with pytest.raises(IncompleteAnswerError, match="token limit"):
        check_answer('{"z"', encode_schema(SCHEMA), cut=True)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strnig"},
        {"$ref": "#/$defs/missing"},
        {"$ref": "http://127.0.0.1:9/elsewhere.json"},
        {"$ref": "file:///etc/passwd"},
        {"pattern": "("},
    ],
)
def test_a_schema_that_is_wrong_or_elsewhere(schema: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError) as caught:
        check_answer("{}", encode_schema(schema))
    assert caught.value.next_step


@pytest.mark.parametrize("schema", [{"x": {1, 2}}, {"minimum": float("nan")}, {"x": object()}])
def test_a_schema_that_is_not_json(schema: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError):
        encode_schema(schema)
